"""What a library knows of every molecule, as objectives and constraints name it.

Light, as the configuration is made of it.
"""

from molloop.goal import Quantity

ACCESSIBILITY = "synthetic accessibility"  # is no descriptor: it is computed once, and kept
KNOWN = {
    one.name: one
    for one in (
        Quantity("molar mass", "g/mol", "Molar mass", "amw"),
        Quantity("logP", "", "Crippen's logP", "CrippenClogP"),
        Quantity("TPSA", "Å²", "Topological polar surface area", "tpsa"),
        Quantity("heavy atoms", "", "Heavy atoms", "NumHeavyAtoms"),
        Quantity("rings", "", "Rings", "NumRings"),
        Quantity("HB donors", "", "Hydrogen-bond donors", "NumHBD"),
        Quantity("HB acceptors", "", "Hydrogen-bond acceptors", "NumHBA"),
        Quantity("synthetic accessibility", "", "Synthetic-accessibility score", ACCESSIBILITY),
    )
}

"""Levels of theory and fidelities, one table each.

Light to import: the configuration reads the names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A level of theory.

    Attributes
    ----------
    method
        What tblite calls the method of the energies.
    geometry_method
        The same for the relaxation.
    shift_ev
        Added to the difference of the energies.
    label
        What figures and tables call it.
    purpose
        What it is good for.
    """

    method: str
    geometry_method: str
    shift_ev: float
    label: str
    purpose: str


LEVELS = {
    # Bannwarth, Ehlert and Grimme, J. Chem. Theory Comput. 15, 1652 (2019),
    # doi:10.1021/acs.jctc.8b01176
    "gfn2": Level(
        "GFN2-xTB", "GFN2-xTB", 0.0, "GFN2-xTB ΔSCF, uncorrected", "comparable with published runs"
    ),
    # Grimme, Bannwarth and Shushkov, J. Chem. Theory Comput. 13, 1989 (2017),
    # doi:10.1021/acs.jctc.7b00118
    "gfn1": Level(
        "GFN1-xTB", "GFN1-xTB", 0.0, "GFN1-xTB ΔSCF, uncorrected", "a second opinion on the order"
    ),
    # Ásgeirsson, Bauer and Grimme, Chem. Sci. 8, 4879 (2017), doi:10.1039/c7sc00601b,
    # whose empirical shift it is
    "ipea1": Level(
        "IPEA1-xTB",
        "GFN2-xTB",
        -4.846,
        "IPEA1-xTB ΔSCF on GFN2-xTB geometry, shifted by -4.846 eV",
        "IEs to be read in absolute terms",
    ),
}
LAST_ELEMENT = 86  # radon, for all three

# fidelity -> what it is
FIDELITIES = {
    "relaxed": "at the relaxed geometry",
    "mmff-geometry": "at the force field's geometry, without relaxation: a third of the cost",
    "input-geometry": "at the geometry of the molecule's file, as it is",
}
# where a relaxation starts -> what that is
START_GEOMETRIES = {
    "embedded": "at the force field's minimum, which is found from the SMILES",
    "input": "at the geometry of the molecule's file",
}


def uses_input(fidelity: str, start_geometry: str) -> bool:
    """Whether a molecule's own geometry is used, and nothing is embedded."""
    return fidelity == "input-geometry" or start_geometry == "input"

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
    has_solvents
        Whether it has parameters of ALPB.
    """

    method: str
    geometry_method: str
    shift_ev: float
    label: str
    purpose: str
    has_solvents: bool = True

    @property
    def methods(self) -> str:
        """What computes energies, and where: for quantities that no shift belongs to."""
        if self.method == self.geometry_method:
            return self.method
        return f"{self.method} on {self.geometry_method} geometry"


# What an electron at rest far away is worth in these methods, whose basis has no place for it: the
# empirical shift of Ásgeirsson, Bauer and Grimme, Chem. Sci. 8, 4879 (2017),
# doi:10.1039/c7sc00601b, which the program xtb subtracts from any IE and EA that it computes
ELECTRON_EV = 4.846

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
        -ELECTRON_EV,
        "IPEA1-xTB ΔSCF on GFN2-xTB geometry, shifted by -4.846 eV",
        "IEs to be read in absolute terms",
        has_solvents=False,
    ),
}
LAST_ELEMENT = 86  # radon, for all three
# Of 37 elements up to radon the atoms of IPEA1-xTB are those of GFN1-xTB: total energies of atoms
# and their ions by tblite 0.8.0 are the same to 1e-6 Hartree
BORROWED = {
    "ipea1": frozenset((2, 10, 13, 14, 18, 19, 20, 35, 36, 37, 38, 39, 43, 44, 45, 53, 54, 55, 56))
    | frozenset((*range(57, 72), 84, 85, 86))
}

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

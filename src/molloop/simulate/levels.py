"""Levels of theory and fidelities, one table each.

Light to import: the configuration reads the names.
"""

from dataclasses import dataclass

from molloop.simulate.functionals import BASES, ELEMENTS, FUNCTIONALS, KohnSham

# What an electron at rest far away is worth in these methods, whose basis has no place for it: the
# empirical shift of Ásgeirsson, Bauer and Grimme, Chem. Sci. 8, 4879 (2017),
# doi:10.1039/c7sc00601b, which the program xtb subtracts from any IE and EA that it computes
ELECTRON_EV = 4.846
LAST_ELEMENT = 86  # radon: the methods of xTB know all up to it


@dataclass(frozen=True, slots=True)
class Level:
    """A level of theory.

    Attributes
    ----------
    method
        Of the energies: what tblite calls it, or a functional and its basis.
    geometry_method
        Of the relaxation: what tblite calls it.
    shift_ev
        Added to the difference of the energies.
    label
        What figures and tables call it.
    purpose
        What it is good for.
    has_solvents
        Whether it has parameters of ALPB.
    electron_ev
        What an electron at rest far away is worth.
    elements
        Atomic numbers that it knows.
    kohn_sham
        What PySCF computes energies by; None: tblite computes them.
    usual_s
        Processor time of a molecule of nine heavy atoms, roughly: what a run reckons with before it
        has measured any.
    """

    method: str
    geometry_method: str
    shift_ev: float
    label: str
    purpose: str
    has_solvents: bool = True
    electron_ev: float = ELECTRON_EV
    elements: frozenset[int] = frozenset(range(1, LAST_ELEMENT + 1))
    kohn_sham: KohnSham | None = None
    usual_s: float = 0.1

    @property
    def packages(self) -> tuple[str, ...]:
        """What it needs of the extra `dft`: distributions of Python packages."""
        if self.kohn_sham is None:
            return ()
        has_dispersion = self.kohn_sham.functional.has_dispersion
        return ("pyscf", "pyscf-dispersion") if has_dispersion else ("pyscf",)

    @property
    def methods(self) -> str:
        """What computes energies, and where: for quantities that no shift belongs to."""
        if self.method == self.geometry_method:
            return self.method
        return f"{self.method} on {self.geometry_method} geometry"


def _of_kohn_sham(theory: KohnSham) -> Level:
    return Level(
        theory.name,
        "GFN2-xTB",
        0.0,
        f"{theory.name} ΔSCF on GFN2-xTB geometry",
        f"{theory.functional.purpose}; {theory.basis.purpose}",
        has_solvents=False,
        electron_ev=0.0,
        elements=ELEMENTS,
        kohn_sham=theory,
        usual_s=theory.basis.usual_s,
    )


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
    **{
        f"{functional}/{basis}": _of_kohn_sham(KohnSham(FUNCTIONALS[functional], BASES[basis]))
        for functional in FUNCTIONALS
        for basis in BASES
    },
}
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

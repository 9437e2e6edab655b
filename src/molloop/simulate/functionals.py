"""Density functionals and basis sets that PySCF computes by, one table each.

Light to import: the configuration reads the names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Functional:
    """A density functional, and how it is integrated.

    Attributes
    ----------
    name
        As the literature calls it.
    xc
        What PySCF calls it, dispersion included.
    grid
        PySCF's level of the integration grid, 0 to 9.
    purpose
        What it is good for.
    has_dispersion
        Whether PySCF needs the package pyscf-dispersion for it.
    """

    name: str
    xc: str
    grid: int
    purpose: str
    has_dispersion: bool = False


@dataclass(frozen=True, slots=True)
class Basis:
    """A basis set; that of a heavy atom has an effective core potential of the same name.

    Attributes
    ----------
    name
        As PySCF and the literature call it.
    purpose
        What it is good for.
    usual_s
        Processor time that an energy difference of a molecule of nine heavy atoms takes, roughly.
    """

    name: str
    purpose: str
    usual_s: float


# What is left out is wrong in silence, or refused, by PySCF 2.14: `wb97x-d4` is another functional
# there, `wb97x-d` is refused, and `hyb_gga_xc_wb97x_d` comes without its dispersion.
FUNCTIONALS = {
    # Becke, J. Chem. Phys. 98, 5648 (1993), doi:10.1063/1.464913; Stephens, Devlin, Chabalowski and
    # Frisch, J. Phys. Chem. 98, 11623 (1994), doi:10.1021/j100096a001. `b3lypg` is Gaussian's, by
    # VWN's formula of the random phase approximation, whatever a user has set in PySCF.
    "b3lyp": Functional("B3LYP", "b3lypg", 1, "IEs and their order"),
    # ωB97X-V's functional with D3(BJ) in place of VV10: Najibi and Goerigk, J. Chem. Theory Comput.
    # 14, 5725 (2018), doi:10.1021/acs.jctc.8b00842
    "wb97x-d3bj": Functional(
        "ωB97X-D3(BJ)",
        "wb97x-d3bj",
        1,
        "a second opinion, range-separated: large and charged molecules",
        has_dispersion=True,
    ),
    # Furness, Kaplan, Ning, Perdew and Sun, J. Phys. Chem. Lett. 11, 8208 (2020),
    # doi:10.1021/acs.jpclett.0c02405
    "r2scan": Functional("r²SCAN", "r2scan", 2, "a second opinion without exact exchange"),
}
BASES = {
    # Weigend and Ahlrichs, Phys. Chem. Chem. Phys. 7, 3297 (2005), doi:10.1039/b508541a
    "def2-svp": Basis("def2-SVP", "cheap", 20.0),
    "def2-tzvp": Basis("def2-TZVP", "several times the cost", 100.0),
}
# fits the density; one for all of def2: Weigend, J. Comput. Chem. 29, 167 (2008),
# doi:10.1002/jcc.20702
AUXILIARY = "def2-universal-jkfit"
LAST_WITH_ALL_ELECTRONS = 36  # krypton
# hydrogen to radon without cerium to lutetium, for which PySCF 2.14 has no def2 basis
ELEMENTS = frozenset((*range(1, 58), *range(72, 87)))


@dataclass(frozen=True, slots=True)
class KohnSham:
    """A functional in a basis."""

    functional: Functional
    basis: Basis

    @property
    def name(self) -> str:
        """Of the method, such as ``B3LYP/def2-SVP``."""
        return f"{self.functional.name}/{self.basis.name}"

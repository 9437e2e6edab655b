"""Levels of theory, one table. Light to import: the configuration reads its names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A level of theory.

    Attributes
    ----------
    method
        What tblite calls it.
    label
        What figures and tables call it.
    """

    method: str
    label: str


LEVELS = {
    # Bannwarth, Ehlert and Grimme, J. Chem. Theory Comput. 15, 1652 (2019),
    # doi:10.1021/acs.jctc.8b01176
    "gfn2": Level("GFN2-xTB", "GFN2-xTB ΔSCF, uncorrected"),
}

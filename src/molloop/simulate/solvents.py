"""Solvents and reference electrodes, by name.

Light to import: the configuration reads the names.
"""

# name of tblite's -> other names that it takes. tblite 0.8.0 has parameters of ALPB for these, for
# GFN1-xTB and GFN2-xTB
SOLVENTS = {
    "acetone": (),
    "acetonitrile": (),
    "aniline": (),
    "benzaldehyde": (),
    "benzene": (),
    "carbondisulfide": ("cs2",),
    "chloroform": ("chcl3",),
    "dichloromethane": ("ch2cl2",),
    "dimethylformamide": ("dmf",),
    "dimethylsulfoxide": ("dmso",),
    "dioxane": (),
    "ethanol": (),
    "ether": ("diethylether",),
    "ethylacetate": (),
    "furane": (),
    "hexadecane": (),
    "hexane": ("n-hexane",),
    "methanol": (),
    "nitromethane": (),
    "octanol": (),
    "phenol": (),
    "tetrahydrofuran": ("thf",),
    "toluene": (),
    "water": ("h2o",),
    "woctanol": (),
}
_NAMES = {other: name for name, others in SOLVENTS.items() for other in (name, *others)}

# reference electrode -> its absolute potential (V) and where that is from
ELECTRODES = {
    # the value that IUPAC recommends, in water: Trasatti, Pure Appl. Chem. 58, 955 (1986),
    # doi:10.1351/pac198658070955
    "SHE": (4.44, "IUPAC, Trasatti 1986"),
    # Isse and Gennaro, J. Phys. Chem. B 114, 7894 (2010), doi:10.1021/jp100402x
    "SHE-4.28": (4.281, "Isse and Gennaro 2010"),
    # ferrocene in acetonitrile: Namazian, Lin and Coote, J. Chem. Theory Comput. 6, 2721 (2010),
    # doi:10.1021/ct1003252
    "Fc": (4.988, "ferrocene in acetonitrile, Namazian, Lin and Coote 2010"),
    # 3.04 V below SHE in water: CRC Handbook of Chemistry and Physics
    "Li": (1.40, "Li/Li+ at -3.04 V against SHE of IUPAC"),
}


def solvent_named(text: str) -> str:
    """Return tblite's name of a solvent, given in any case; KeyError where there is none."""
    return _NAMES[text.strip().lower().replace(" ", "")]


def electrode_named(text: str) -> str:
    """Return the name of a reference electrode, given in any case; KeyError where there is none."""
    names = {name.lower(): name for name in ELECTRODES}
    return names[text.strip().lower()]

"""Choices in building a library, by name: of what, what becomes of salts, which molecules are one.

Light, as the configuration is made of it.
"""

BUILT_IN = {"qm9": "qm9.parquet"}
FORMATS = (
    ".smi, .txt, .csv, .tsv, .cxsmiles, .sdf or .parquet, also with .gz, .bz2, .zst or .xz behind"
)
FRAGMENTS = {
    "refuse": "molecules in several pieces stay as they are; no simulation takes them",
    "largest": "only the largest piece stays, with its charge",
    "neutralise": "only the largest piece stays, without charges where it has hydrogens to move",
}
SAME_AS = {
    "smiles": "the same canonical SMILES, with stereo, isotopes and charges",
    "no-stereo": "the same canonical SMILES without stereo",
    "inchikey": "the same standard InChIKey",
    "tautomer": "tautomers of each other, by RDKit's tautomer hash",
}

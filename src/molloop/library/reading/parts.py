"""What a line or a cell holds: the text of a molecule, and its name behind a blank."""

import re

from molloop.errors import InputError
from molloop.library.reading.format import TextKind

_ATOM = r"(?:\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFIbcnops*])"
_SMILES = re.compile(rf"{_ATOM}(?:{_ATOM}|[-=#$:/\\.()+~@]|%\d\d|\d)*")
# radicals, stereo groups, coordinates, labels of atoms: what they say would be lost
_EXTENSION = re.compile(r"\|(\^\d:|[&o]\d+:|a:|\(|\$)")
_INCHI = re.compile(r"InChI=1\S*")


def part(text: str) -> tuple[str, str]:
    """Return the text of a molecule, and the name behind it.

    A CXSMILES extension (``CCO |^1:0| name``) belongs to the SMILES, behind one blank; so does what
    begins as one that has an effect and does not end, which is no molecule then.
    """
    first, _, behind = text.strip().replace("\t", " ").partition(" ")
    behind = behind.lstrip(" ")
    if behind.startswith("|"):
        end = behind.find("|", 1) + 1
        has_effect = _EXTENSION.match(behind) is not None
        if end and (has_effect or behind[end : end + 1] in ("", " ")):
            return f"{first} {behind[:end]}", behind[end:].lstrip(" ")
        if has_effect:
            return f"{first} {behind}", ""
    return first, behind


def looks_like_molecule(text: str) -> bool:
    """Whether a text has the form of a SMILES or an InChI, also of a damaged one."""
    return bool(_SMILES.fullmatch(text) or _INCHI.fullmatch(text))


def as_smiles(where: str, text: str, kind: TextKind) -> str:
    """Return a SMILES as it is, and the canonical one of an InChI or a molfile.

    Raises
    ------
    InputError
        It is no InChI or molfile; the error says where it stands.
    """
    if kind == "smiles":
        return text
    from rdkit import Chem

    from molloop.smiles import NoMoleculeError, read_molecule

    try:
        return str(Chem.MolToSmiles(read_molecule(text, kind)))
    except NoMoleculeError as error:
        expected = "an InChI" if kind == "inchi" else "a molfile"
        raise InputError(where, text[:60], expected, f"It is none: {error}.") from error

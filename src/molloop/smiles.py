r"""Texts become molecules, here and nowhere else: SMILES, InChI and molblocks, read by RDKit.

A SMILES may have a CXSMILES extension behind a blank: ``CCO |^1:0|`` is the radical [CH2]CO.
"""

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Literal, TypeVar

from rdkit import Chem, rdBase
from rdkit.Chem import rdinchi

from molloop.texts import MAX_SMILES, may_be_smiles, terminal_text, utf8_text

TextKind = Literal["smiles", "inchi", "molblock"]
Given = TypeVar("Given")

MAX_MOLBLOCK = 1_000_000  # characters: the largest SMILES with all its hydrogens has fewer
_EXTENSION = re.compile(r"\S+ \|(.*)\|", re.ASCII)
_EXTENSION_RADICALS = re.compile(r"\^\d:(\d+(?:,\d+)*)")
HYDROGEN = " H "  # so it stands in most molblocks that have some
# to look for hydrogens takes RDKit 11 µs, also where there are none: then this is the same
_with_hydrogens = partial(Chem.MolFromMolBlock, removeHs=False)
_DUMMY = Chem.MolFromSmarts("[#0]")
# of substance groups that stand for any number of units
_POLYMERS = {"SRU", "MON", "MER", "COP", "CRO", "MOD", "GRA", "ANY"}
_STAMP = re.compile(r"^\[\d\d:\d\d:\d\d\] ", re.MULTILINE)
_TOLD_ELSEWHERE = re.compile(r"(SMILES Parse Error: |ERROR: )|( for input| while parsing): .*")
_POSITION = re.compile(r"check for mistakes around position (\d+)")
_BROKEN_RULE = re.compile(r"\*{4}\n(.+)\n(.+)\nViolation .*\nFailed Expression: (.+)")


class NoMoleculeError(ValueError):
    """A text stands for no molecule; the message says why, in RDKit's words."""


def read_molecule(
    text: str, kind: TextKind = "smiles", *, may_have_dummies: bool = False
) -> Chem.Mol:
    """Return what a text stands for.

    Parameters
    ----------
    text
        A SMILES of :data:`molloop.texts.MAX_SMILES` characters at most, in one line and without
        blanks but the one before an extension; an InChI, as long; or a molblock, V2000 or V3000.
    may_have_dummies
        Whether ``*`` is allowed.

    Returns
    -------
    The molecule; its hydrogens are counts, but for those that a SMILES has to name.

    Raises
    ------
    NoMoleculeError
        It stands for none.
    """
    with rdBase.BlockLogs():
        return read_quietly(text, kind, may_have_dummies=may_have_dummies)


def is_smiles(text: str) -> bool:
    """Whether a text is a SMILES, dummy atoms allowed."""
    try:
        read_molecule(text, may_have_dummies=True)
    except NoMoleculeError:
        return False
    return True


def read_quietly(
    text: str, kind: TextKind = "smiles", *, may_have_dummies: bool = False
) -> Chem.Mol:
    """Do what :func:`read_molecule` does, where RDKit's log is blocked: that takes 2 µs each time.

    Raises
    ------
    NoMoleculeError
        It stands for none.
    """
    if kind == "molblock":
        return _read_molblock(text, may_have_dummies)
    _check_signs(text, kind)
    molecule = _read_smiles(text) if kind == "smiles" else _read_inchi(text)
    if not molecule.GetNumAtoms():
        raise NoMoleculeError("no atoms")
    # asking RDKit would cost more
    if not may_have_dummies and ("*" in text or "#0" in text):
        _check_dummies(molecule)
    if not may_have_dummies and ("~" in text or "|" in text):
        _check_query(molecule)
    return molecule


def _read_molblock(text: str, may_have_dummies: bool) -> Chem.Mol:
    if not text or text.isspace():
        raise NoMoleculeError("no text")
    if len(text) > MAX_MOLBLOCK:
        raise NoMoleculeError(f"{len(text):,} characters, expected at most {MAX_MOLBLOCK:,}")
    text = utf8_text(text)
    molecule = None if HYDROGEN in text else _tried(_with_hydrogens, text)
    if molecule is None or not _is_heavy(molecule):
        molecule = _tried(Chem.MolFromMolBlock, text)
    if molecule is None:
        raise NoMoleculeError(_reason(_supplied, text) or "no molblock")
    if not molecule.GetNumAtoms():
        raise NoMoleculeError("no atoms")
    if not may_have_dummies:
        _check_dummies(molecule)
        _check_query(molecule)
    if "S" in text or "s" in text:  # in "M  STY" and "SGROUP": sooner than to ask RDKit
        _check_polymer(molecule)
    return molecule


def read_as_written(molblock: str) -> Chem.Mol | None:
    """Read a molblock with the hydrogens that it has, not sanitized; None where it is none."""
    return _tried(
        partial(Chem.MolFromMolBlock, sanitize=False, removeHs=False), utf8_text(molblock)
    )


def _check_signs(text: str, kind: TextKind) -> None:
    """Raise NoMoleculeError where RDKit is not to be asked: nothing could stop it."""
    if not text:
        raise NoMoleculeError("no text")
    if len(text) > MAX_SMILES:
        raise NoMoleculeError(f"{len(text):,} characters, expected at most {MAX_SMILES:,}")
    if not may_be_smiles(text):
        raise NoMoleculeError("signs that stand in no SMILES and no InChI")
    if kind == "inchi" and not text.startswith("InChI="):
        raise NoMoleculeError("no InChI: it does not begin with InChI=")
    if " " in text and kind == "inchi":
        raise NoMoleculeError("a blank, which stands in no InChI")
    if " " in text and not _EXTENSION.fullmatch(text):
        raise NoMoleculeError("a blank that no CXSMILES extension, such as |^1:0|, follows")


def _read_smiles(text: str) -> Chem.Mol:
    molecule = _tried(Chem.MolFromSmiles, text)
    if molecule is None:
        raise NoMoleculeError(_reason(Chem.MolFromSmiles, text) or "not a valid SMILES")
    if extension := _EXTENSION.fullmatch(text):
        _check_extension(molecule, extension[1])
        molecule.RemoveAllConformers()
    return molecule


def _check_extension(molecule: Chem.Mol, extension: str) -> None:
    """Raise NoMoleculeError where RDKit would leave something of an extension out."""
    if "Sg:" in extension:
        _check_polymer(molecule)
    named = [atom for found in _EXTENSION_RADICALS.findall(extension) for atom in found.split(",")]
    radicals = [atom for atom in molecule.GetAtoms() if atom.GetNumRadicalElectrons()]
    if len(radicals) < len(named):
        raise NoMoleculeError("the extension names a radical that the SMILES has no place for")


def _read_inchi(text: str) -> Chem.Mol:
    try:
        found: tuple[Chem.Mol | None, int, str, str] = rdinchi.InchiToMol(text)
    except (ValueError, RuntimeError) as error:
        raise NoMoleculeError(_first_line(str(error))) from error
    molecule, _, message, log = found
    if molecule is None:
        # the log ends with what is wrong, behind what the library was told to do
        last = f"{log}\n{message}".strip().splitlines()[-1:]
        raise NoMoleculeError("".join(last).removeprefix("Structure: 1 ") or "not a valid InChI")
    return molecule


def _check_dummies(molecule: Chem.Mol) -> None:
    if not _is_heavy(molecule) and (found := molecule.GetSubstructMatch(_DUMMY)):
        raise NoMoleculeError(f"atom {found[0] + 1} is a dummy atom (*), which is no element")


def _is_heavy(molecule: Chem.Mol) -> bool:
    """Whether all atoms are heavier than hydrogen."""
    return bool(molecule.GetNumHeavyAtoms() == molecule.GetNumAtoms())


def _check_query(molecule: Chem.Mol) -> None:
    if molecule.HasQuery():
        raise NoMoleculeError("query: an atom or a bond stands for several")


def _check_polymer(molecule: Chem.Mol) -> None:
    # at the end of the loop, even of one over nothing, RDKit raises in C++: that takes 8 µs
    for group in Chem.GetMolSubstanceGroups(molecule):
        if group.GetProp("TYPE") in _POLYMERS:
            raise NoMoleculeError("polymer: a group stands for any number of units")


def _tried(read: Callable[[Given], Chem.Mol | None], given: Given) -> Chem.Mol | None:
    try:
        return read(given)
    except (ValueError, RuntimeError):  # RDKit's checks of itself
        return None


def _supplied(text: str) -> Chem.Mol | None:
    # tells more than `MolFromMolBlock`, which takes the faults of a file for warnings
    # it cuts texts between bytes, and its log cannot be read where one is half a sign
    return next(Chem.ForwardSDMolSupplier(BytesIO(text.encode("ascii", "replace"))), None)


def _reason(read: Callable[[str], Chem.Mol | None], text: str) -> str:
    """Read a text that is no molecule again, and return what RDKit says to it, in one line."""
    with rdBase.CaptureErrorLog() as log:
        _tried(read, text)
    told = _STAMP.sub("", log.messages)
    if broken := _BROKEN_RULE.search(_without_trace(told)):
        kind, what, expected = broken.groups()
        return terminal_text(f"{kind}: {what} ({expected} does not hold)")
    line = _first_line(_TOLD_ELSEWHERE.sub("", told))
    position = _POSITION.search(told)
    return f"{line} around position {position[1]}" if line and position else line


def _without_trace(told: str) -> str:
    return told.partition("\nStacktrace")[0].replace("\n----------", "")


def _first_line(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return terminal_text(next(filter(None, lines), ""))

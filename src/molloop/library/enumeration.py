"""Scaffolds x substituents: a source of molecules of any number."""

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count

from rdkit import Chem

from molloop.errors import InputError
from molloop.library import sources
from molloop.library.manifest import SourceFile
from molloop.library.origin import Files
from molloop.library.reading.look import check_effect
from molloop.library.reading.options import Reading
from molloop.smiles import NoMoleculeError, read_molecule

GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
RING_OFFSET = 50  # substituents close their rings with %50 and up, scaffolds below

_TURNED = str.maketrans("/\\", "\\/")
_UNNUMBERED_SITE = re.compile(r"\[\*\]|\*(?![^\[]*\])")
_SITE = re.compile(r"\[\*:\d+\]")
_BRACKET_OR_RING = re.compile(r"(\[[^\]]*\])|%(\d\d)|(\d)")
# of a CXSMILES extension: radicals and double bonds, which the SMILES of a product says itself;
# marks of attachment points; and places of atoms, which are no product's
_CARRIED = re.compile(
    r"\^\d:\d+(,\d+)*|\b(c|t|ctu):\d+(,\d+)*|\$(_?R\d*|_AP\d*|;)*\$|\([-+\d.eE,;]*\)"
)


@dataclass(frozen=True)
class Enumeration:
    """Every scaffold with every substituent at every attachment point.

    Attributes
    ----------
    scaffolds
        Each a SMILES in pieces: a substituent belongs between each two.
    substituents
        SMILES that begin with the atom, or the bond and the atom, that is attached.
    max_molecules
        Take this many of the products, spread over all of them; None takes all in order.
    """

    name: str
    files: tuple[SourceFile, ...]
    scaffolds: tuple[tuple[str, ...], ...]
    substituents: tuple[str, ...]
    formats: tuple[object, ...] = ()
    read_as: tuple[str, ...] = ()
    max_molecules: int | None = None
    keeps_smiles: bool = False

    @classmethod
    def of(
        cls,
        scaffolds: str,
        substituents: str,
        reading: Reading | str | None = None,
        max_molecules: int | None = None,
    ) -> "Enumeration":
        """Read the files of both.

        Parameters
        ----------
        scaffolds
            A file of SMILES with an attachment point or more, ``*``, each on one single bond.
        substituents
            A file of SMILES with one attachment point each; ``*[H]`` leaves a place empty.
        reading
            What the user says of both, or the name of the column of SMILES alone.

        Raises
        ------
        InputError
            A file is missing, or a line of it is no scaffold or no substituent.
        """
        cores, groups = Files.of([scaffolds], reading), Files.of([substituents], reading)
        names = f"{cores.name} and {groups.name}"
        check_effect(cores.reading, cores.formats + groups.formats, names)
        return cls(
            name=f"{cores.paths[0].name} x {groups.paths[0].name}",
            files=cores.files + groups.files,
            scaffolds=tuple(dict.fromkeys(_scaffold(*one) for one in _entries(cores))),
            # the same one twice would only make every molecule twice
            substituents=tuple(dict.fromkeys(_substituent(*one) for one in _entries(groups))),
            formats=(cores.options, groups.options),
            read_as=cores.read_as + groups.read_as,
            max_molecules=max_molecules,
        )

    @property
    def options(self) -> dict[str, int | str | None]:
        """What else decides on its lines."""
        return {"max_molecules": self.max_molecules, "columns": str(self.formats)}

    def blocks(self) -> Iterator[sources.Block]:
        """Return the products; a line is a product's place among all, from 1."""
        edges = [0, *accumulate(self._sizes())]
        n = edges[-1] if self.max_molecules is None else min(edges[-1], self.max_molecules)
        stride = 1 if n == edges[-1] else _spreading_stride(edges[-1])
        for start in range(0, n, sources.BLOCK_SIZE):
            stop = min(n, start + sources.BLOCK_SIZE)
            places = [index * stride % edges[-1] for index in range(start, stop)]
            smiles = [self._product(place, edges) for place in places]
            lines = [place + 1 for place in places]
            yield sources.Block(self.name, lines, smiles, [""] * len(lines), stop / n)

    def _sizes(self) -> list[int]:
        return [len(self.substituents) ** (len(pieces) - 1) for pieces in self.scaffolds]

    def _product(self, place: int, edges: Sequence[int]) -> str:
        number = bisect_right(edges, place) - 1
        rest = place - edges[number]
        first, *others = self.scaffolds[number]
        text = first
        for piece in others:
            rest, choice = divmod(rest, len(self.substituents))
            text = _joined(text, self.substituents[choice]) + piece
        return text


def _joined(text: str, substituent: str) -> str:
    """Put a substituent behind a text; where both say the direction of the bond, it stands once."""
    if text[-1] in "/\\":
        if substituent[0] in "=#":
            return text[:-1] + substituent
        if substituent[0] in "/\\":
            if substituent[0] != text[-1]:
                # all directions turned round mean the same
                substituent = substituent.translate(_TURNED)
            return text + substituent[1:]
    return text + substituent


def _spreading_stride(n: int) -> int:
    """Return a step that visits all of range(n) before it repeats, evenly spread from the start."""
    stride = max(1, round(n * GOLDEN_RATIO))
    while math.gcd(stride, n) != 1:
        stride += 1
    return stride


def _entries(files: Files) -> list[tuple[str, int, str]]:
    entries = []
    for block in files.blocks():
        for line, fault in block.faults.items():
            remedy = "Quote cells that hold the separator, or remove the line."
            raise InputError(f"{block.file}, line {line}", fault, "a cell a column", remedy)
        if block.kind != "smiles":
            raise InputError(
                "file",
                files.name,
                "SMILES with attachment points",
                "Of InChI and molfiles none are read: write them as SMILES.",
            )
        lines = zip(block.lines, block.texts, strict=True)
        entries += [(block.file, line, text) for line, text in lines if text]
    if not entries:
        raise InputError("file", files.name, "at least one SMILES", "It holds none.")
    return entries


def _scaffold(file: str, line: int, smiles: str) -> tuple[str, ...]:
    molecule, sites = _parse(file, line, smiles)
    inner = [atom for atom in molecule.GetAtoms() if atom.GetAtomicNum() != 0]
    if not sites or not inner or any(_order(site) != Chem.BondType.SINGLE for site in sites):
        raise InputError(
            f"{file}, line {line}",
            smiles,
            "a scaffold with one attachment point or more, each * on one single bond",
            "Write it like c1ccc([*:1])cc1.",
        )
    for number, site in enumerate(sites, start=1):
        site.SetAtomMapNum(number)
    # from an inner atom, every attachment point is the end of a branch
    return tuple(_SITE.split(_written_from(molecule, inner[0].GetIdx())))


def _substituent(file: str, line: int, smiles: str) -> str:
    molecule, sites = _parse(file, line, smiles)
    orders = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
    if len(sites) != 1 or _order(sites[0]) not in orders:
        raise InputError(
            f"{file}, line {line}",
            smiles,
            "a substituent with one attachment point *, on one bond",
            "Write it like *C(F)(F)F, or *[H] for none.",
        )
    sites[0].SetAtomMapNum(0)
    return _BRACKET_OR_RING.sub(
        _moved, _written_from(molecule, sites[0].GetIdx()).removeprefix("*")
    )


def _parse(file: str, line: int, smiles: str) -> tuple[Chem.Mol, list[Chem.Atom]]:
    """Return a molecule of one fragment, without atom map numbers, and its attachment points."""
    plain, blank, extension = smiles.partition(" ")
    if lost := _CARRIED.sub("", extension).strip(" |,"):
        expected = "an extension that each product can have: radicals, say"
        remedy = f"{lost[:40]!r} would be lost: write the SMILES without it."
        raise InputError(f"{file}, line {line}", smiles, expected, remedy)
    # numbered before they are read: two that look alike would cost their centre its chirality
    numbers = count(101)
    numbered = _UNNUMBERED_SITE.sub(lambda _: f"[*:{next(numbers)}]", plain) + blank + extension
    try:
        molecule = read_molecule(numbered, may_have_dummies=True)
    except NoMoleculeError as error:
        expected = f"a valid SMILES of one fragment ({error})"
        raise InputError(f"{file}, line {line}", smiles, expected, "Correct the line.") from error
    if (n_fragments := len(Chem.GetMolFrags(molecule))) != 1:
        expected = f"a SMILES of one fragment, not of {n_fragments}"
        raise InputError(f"{file}, line {line}", smiles, expected, "Correct the line.")
    for atom in molecule.GetAtoms():
        if atom.GetAtomicNum() != 0:
            atom.SetAtomMapNum(0)
    return molecule, [atom for atom in molecule.GetAtoms() if atom.GetAtomicNum() == 0]


def _order(site: Chem.Atom) -> Chem.BondType | None:
    """Return the bond of an attachment point, None where it is more than a plain one."""
    is_plain = (
        site.GetDegree() == 1
        and site.GetFormalCharge() == 0
        and site.GetTotalNumHs() == 0
        and site.GetIsotope() == 0
    )
    return site.GetBonds()[0].GetBondType() if is_plain else None


def _written_from(molecule: Chem.Mol, atom: int) -> str:
    return str(Chem.MolToSmiles(molecule, rootedAtAtom=atom, canonical=False))


def _moved(match: re.Match[str]) -> str:
    """Give a ring closure another number, and leave a bracket atom as it is."""
    bracket, two_digits, digit = match.groups()
    return bracket or f"%{RING_OFFSET + int(two_digits or digit)}"

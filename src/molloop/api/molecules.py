"""Molecules, simulated one by one."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from molloop.assembly.abreast import in_threads
from molloop.assembly.campaign import check_simulator
from molloop.assembly.counts import processes
from molloop.config.settings import Settings
from molloop.errors import InputError, SimulationError
from molloop.library.reading.opened import ending
from molloop.library.reading.options import Reading
from molloop.molecule import Molecule
from molloop.simulate.outcome import Failure, Outcome

if TYPE_CHECKING:
    from ase import Atoms
    from rdkit.Chem import Mol

    from molloop.library.origin import Files
    from molloop.smiles import TextKind

# a word that ends so is no SMILES
ENDINGS = (
    *(".smi", ".smiles", ".cxsmiles", ".csv", ".tsv", ".txt", ".sdf", ".mol", ".parquet"),
    *(".xyz", ".extxyz"),  # which are told to be read by nothing here
)


def simulate_molecules(
    molecules: "str | Molecule | Mol | Atoms | Iterable[str | Molecule | Mol | Atoms]",
    settings: Settings | None = None,
    n_processes: int | None = 1,
) -> Iterator[Outcome]:
    """Simulate molecules, each in a child of this process.

    Parameters
    ----------
    molecules
        One or several: SMILES, molecules of molloop or RDKit, atoms of ASE. A SMILES is simulated
        as it is given. The bonds of ASE's are told by their coordinates and
        ``atoms.info["charge"]``, 0 by default. ASE's bring their geometry, and so do RDKit's with a
        conformer in 3D and all hydrogens; it counts where the settings say so
        (`simulation.start_geometry`, `simulation.fidelity`), and is found anew otherwise.
    settings
        Their sections `property` and `simulation` say how; the defaults otherwise.
    n_processes
        That simulate at the same time; None: one a core.

    Yields
    ------
    One outcome each, in order: a success with its value in the property's unit, or a failure. It
    says its SMILES, and the name: RDKit's ``_Name`` or ``atoms.info["name"]``. Never raises for a
    molecule: where the bonds of atoms cannot be told, it is a failure of the kind
    ``unknown_bonds``.

    Raises
    ------
    InputError
        The simulator cannot be imported, something is no molecule, or there is no process.
    """
    from molloop.sandbox.worker import run_one
    from molloop.simulate.given import listed, molecule_of, name_of
    from molloop.simulate.task import SimulationTask

    n, given = processes(n_processes), listed(molecules)
    protocol = (settings or Settings()).protocol()
    check_simulator(protocol)
    task = SimulationTask(protocol)

    def outcome_of(
        one: "str | Molecule | Mol | Atoms", is_over: Callable[[], bool] | None = None
    ) -> Outcome:
        smiles, outcome = "", None
        try:
            molecule = molecule_of(one)
            smiles = molecule.smiles
            outcome = run_one(molecule, task, is_over)
        except SimulationError as error:
            outcome = Failure(error.kind, error.message)
        outcome = outcome or Failure("halted", "given up: nobody waits for it any more")
        return replace(outcome, smiles=smiles, name=name_of(one))

    return map(outcome_of, given) if n == 1 else in_threads(outcome_of, given, n)


@dataclass(frozen=True, slots=True)
class Entry:
    """A molecule of a file, with its name and geometry; what is wrong with a line without one.

    Attributes
    ----------
    where
        File and line; an InChI that was given; empty of a SMILES that was given.
    """

    molecule: Molecule
    fault: str = ""
    where: str = ""


def entries_of(
    words: Sequence[str], reading: Reading, say: Callable[[str], object] | None = None
) -> Iterator[Entry]:
    """Return the molecules that words name, in order: SMILES, InChI, or files as of a library.

    Parameters
    ----------
    reading
        What the user says of the files.
    say
        Called with a line a file: how it is read.

    Raises
    ------
    InputError
        There is no such file, or it cannot be read.
    """
    from molloop.library.origin import Files
    from molloop.library.reading.look import check_effect

    files = {word: Files.of([word], reading) for word in words if _is_file(word)}
    formats = [one for source in files.values() for one in source.formats]
    check_effect(reading, formats, ", ".join(words))
    if say is not None:
        for word, source in files.items():
            say(f"{word}: {source.read_as[0]}")
    for word in words:
        if word in files:
            yield from _of_file(files[word])
        elif word.startswith("InChI="):
            yield _entry(word, word, "inchi", "")
        else:
            yield Entry(Molecule(0, word))


def _is_file(word: str) -> bool:
    """Whether a word names a file; InputError where it names a folder, or a file that is missing.

    One without an ending is told from a SMILES by its folder, such as ``./CCO``.
    """
    path, is_file, is_folder = Path(word), False, False
    if path.suffix or os.sep in word:
        with suppress(OSError):  # a SMILES that is too long for a name
            is_file, is_folder = path.is_file(), path.is_dir()
    if is_file:
        return True
    if is_folder or ending(path) in ENDINGS:
        remedy = "It is a folder." if is_folder else "There is no such file."
        raise InputError("molecules", word, "a SMILES, an InChI or a file", remedy)
    return False


def _of_file(files: "Files") -> Iterator[Entry]:
    for block in files.blocks():
        lines = zip(block.lines, block.texts, block.names, strict=True)
        for place, (line, text, name) in enumerate(lines):
            where, fault = f"{block.file}, line {line}", block.faults.get(line, "")
            kept = {column: cells[place] for column, cells in block.kept.items()}
            if fault:
                yield Entry(Molecule(0, text, name), fault, where)
            elif text:  # else the line is empty
                one = _entry(where, text, block.kind, name)
                yield replace(one, molecule=replace(one.molecule, kept=kept))


def _entry(where: str, text: str, kind: "TextKind", name: str) -> Entry:
    """Return a molecule; a SMILES stays as it is given."""
    from rdkit import rdBase

    from molloop.geometries import geometry_of
    from molloop.library.taken import take
    from molloop.smiles import NoMoleculeError

    if kind == "smiles":
        return Entry(Molecule(0, text, name), where=where)
    try:
        with rdBase.BlockLogs():
            taken = take(text, kind, "refuse")
    except NoMoleculeError as error:
        return Entry(Molecule(0, "", name), str(error), where)
    _, smiles = taken.described("smiles")
    positions = taken.positions(text)
    geometry = None if positions is None else geometry_of(smiles, positions)
    return Entry(Molecule(0, smiles, name, geometry), where=where)

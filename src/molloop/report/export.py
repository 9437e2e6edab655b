"""A run's molecules in the formats of other programs."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from molloop.errors import InputError, not_written
from molloop.files import write_whole
from molloop.goal import OTHER_COLUMNS
from molloop.molecule import Molecule
from molloop.report.found import Found
from molloop.report.frame import TEXT_COLUMNS, parquet_schema
from molloop.report.structures import (
    STRUCTURE_FORMATS,
    can_hold,
    structure_of,
    write_structures,
)
from molloop.simulate.outcome import Success
from molloop.texts import csv_cell, each, sheet_cell, sheet_lines

if TYPE_CHECKING:
    import pandas as pd

TABLE_FORMATS = ("csv", "parquet")
EXPORT_FORMATS = (*TABLE_FORMATS, *STRUCTURE_FORMATS)
ENDINGS = {
    "csv": (".csv",),
    "parquet": (".parquet",),
    "sdf": (".sdf", ".sd"),
    "extxyz": (".xyz", ".extxyz"),
    "ase-db": (".db",),
}
# by which programs choose how they read
OTHER_ENDINGS = {".json", ".gz", ".bz2", ".xz", ".zst", ".zip", ".tsv", ".traj", ".mol"}


@dataclass(frozen=True, slots=True)
class Exported:
    """How many molecules were written.

    Attributes
    ----------
    n_drawn
        How many of them had no geometry and were drawn.
    n_left_out
        How many had no geometry and were not written, as the format has no drawings.
    excluded
        What is to be said of flagged values, where fewer than the wanted number of the best are
        there.
    """

    n_molecules: int
    n_drawn: int = 0
    n_left_out: int = 0
    excluded: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the file has to know."""
        told = (
            (self.n_drawn, "of them have no geometry: they are drawn in 2D, nothing was relaxed"),
            (self.n_left_out, "with a value have no geometry and are left out: sdf has drawings"),
        )
        counts = tuple(f"{n:,} {words}" for n, words in told if n)
        return (*counts, self.excluded) if self.excluded else counts


def export(results: Found, file_format: str, path: Path, top: int | None = None) -> Exported:
    """Write a run's molecules to a file, whole or not at all; return how many.

    Parameters
    ----------
    file_format
        One of `EXPORT_FORMATS`. Tables hold every outcome in the order of the proposals, Parquet
        with the geometries; the others hold the molecules with a value, the best first, flagged
        ones that are never among the best last: SDF all, drawn in two dimensions where they have no
        geometry, the others those that have one.
    top
        Only so many of the best, the best first.

    Raises
    ------
    InputError
        No such format, or the file cannot be written; or none of the values may be the best.
    """
    if file_format not in EXPORT_FORMATS:
        expected = f"one of {', '.join(EXPORT_FORMATS)}"
        raise InputError("format", file_format, expected, "Name one of these.")
    _check_ending(file_format, path)
    n_best = len(results.best(top)) if top else 0
    if top and not n_best and results.excluded:
        raise InputError("top", top, "a run with a best value", f"{results.excluded} Leave it out.")
    told = results.excluded if top and n_best < top else ""
    try:
        if file_format in STRUCTURE_FORMATS:
            return replace(_export_structures(results, file_format, path, top), excluded=told)
        frame = results.frame(geometries=file_format == "parquet", top=top)
        quantities = (results.objective.quantity, *results.protocol.further)
        own = {*OTHER_COLUMNS, *results.numbers_of_stages, *(one.column for one in quantities)}
        kept = set(frame.columns) - own
        if file_format == "csv":
            write_whole(path, _for_sheets(frame, kept).to_csv)
        else:
            schema = parquet_schema(["molecule_id", *frame.columns], kept)
            write_whole(
                path, lambda unfinished: frame.to_parquet(unfinished, index=True, schema=schema)
            )
        return Exported(len(frame), excluded=told)
    except (OSError, ValueError) as error:
        expected = f"a file that can be written as {file_format}"
        raise not_written("file to write", path, error, expected) from error


def _for_sheets(frame: "pd.DataFrame", kept: Collection[str]) -> "pd.DataFrame":
    """Return a table whose texts, names of columns among them, are cells of a CSV."""
    for name in TEXT_COLUMNS:
        found = frame[name].tolist()
        frame[name] = each(csv_cell, found) if name == "smiles" else list(map(sheet_cell, found))
    for name in kept:
        frame[name] = list(map(sheet_lines, frame[name].tolist()))
    return frame.rename(columns=sheet_cell)


def _check_ending(file_format: str, path: Path) -> None:
    """Raise InputError where a name says that the file is something else."""
    own = ENDINGS[file_format]
    others = {one for some in ENDINGS.values() for one in some} | OTHER_ENDINGS
    # ASE knows a database by its ending alone, in small letters
    is_no_database = file_format == "ase-db" and path.suffix not in own
    if is_no_database or path.suffix.lower() in others - set(own):
        raise InputError(
            "file to write",
            str(path),
            f"a name that ends with {own[0]} for {file_format}",
            "Rename it.",
        )


def _export_structures(results: Found, file_format: str, path: Path, top: int | None) -> Exported:
    quantity, protocol = results.objective.quantity, results.protocol
    best = [
        structure_of(
            Molecule(one.molecule_id, one.smiles, one.name),
            one.outcome,
            quantity,
            protocol,
            results.kept(one.molecule_id),
            results.versions,
            {
                column: numbers[one.molecule_id]
                for column, numbers in results.numbers_of_stages.items()
                if one.molecule_id in numbers
            },
        )
        for one in (results.best(top) if top else results.ranked())
        if isinstance(one.outcome, Success)
    ]
    if not best:
        raise InputError(
            "run directory", "a run without a value", "one with some", "Wait until it has one."
        )
    found = [one for one in best if can_hold(file_format, one)]
    if not found:
        raise InputError(
            "run directory",
            "a run without any geometry",
            f"one with some for {file_format}",
            "Take csv or parquet, or sdf, which has drawings of them.",
        )
    write_structures(path, file_format, found)
    n_drawn = sum(one.geometry is None for one in found)
    return Exported(len(found), n_drawn, len(best) - len(found))

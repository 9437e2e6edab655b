"""A run's molecules in the formats of other programs."""

from pathlib import Path

from molloop.errors import InputError
from molloop.files import write_whole
from molloop.report.frame import TEXT_COLUMNS, parquet_schema
from molloop.report.structures import STRUCTURE_FORMATS, structures_of, write_structures
from molloop.results import Results
from molloop.simulate.outcome import Success
from molloop.texts import csv_cell, each

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


def export(results: Results, file_format: str, path: Path) -> int:
    """Write a run's molecules to a file, whole or not at all; return how many.

    Parameters
    ----------
    file_format
        One of `EXPORT_FORMATS`. Tables hold every outcome in the order of the proposals, Parquet
        with the geometries; the others hold the molecules that have a geometry, the best first.

    Raises
    ------
    InputError
        No such format, or the file cannot be written.
    """
    if file_format not in EXPORT_FORMATS:
        expected = f"one of {', '.join(EXPORT_FORMATS)}"
        raise InputError("format", file_format, expected, "Name one of these.")
    _check_ending(file_format, path)
    try:
        if file_format in STRUCTURE_FORMATS:
            return _export_structures(results, file_format, path)
        frame = results.frame(geometries=file_format == "parquet")
        if file_format == "csv":
            for name in TEXT_COLUMNS:
                frame[name] = each(csv_cell, frame[name].tolist())
            write_whole(path, frame.to_csv)
        else:
            schema = parquet_schema(results.objective.quantity.column)
            write_whole(
                path, lambda unfinished: frame.to_parquet(unfinished, index=True, schema=schema)
            )
        return len(frame)
    except (OSError, ValueError) as error:
        raise InputError(
            "file to write", str(path), f"a file that can be written as {file_format}", f"{error}."
        ) from error


def _check_ending(file_format: str, path: Path) -> None:
    """Raise InputError where a name says that the file is something else."""
    own = ENDINGS[file_format]
    others = {one for some in ENDINGS.values() for one in some} | OTHER_ENDINGS
    if path.suffix.lower() in others - set(own):
        raise InputError(
            "file to write",
            str(path),
            f"a name that ends with {own[0]} for {file_format}",
            "Rename it.",
        )


def _export_structures(results: Results, file_format: str, path: Path) -> int:
    best = results.best(len(results.simulated))
    outcomes = [one.outcome for one in best if isinstance(one.outcome, Success)]
    found = structures_of(
        [one.smiles for one in best], outcomes, results.objective.quantity, results.protocol
    )
    if not found:
        raise InputError(
            "run directory",
            "a run without any geometry",
            f"one with some for {file_format}",
            "Take csv or parquet.",
        )
    write_structures(path, file_format, found)
    return len(found)

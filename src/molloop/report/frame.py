"""A run's outcomes as a pandas DataFrame."""

from typing import TYPE_CHECKING, Any

from molloop.report.results import Results
from molloop.simulate.outcome import Failure, Success
from molloop.texts import each, utf8_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TEXT_COLUMNS = ("smiles", "level", "fidelity", "flags", "failure", "message", "worker")


def outcome_frame(results: Results, *, geometries: bool = False) -> "pd.DataFrame":
    """Return the rows of :meth:`Results.frame`."""
    import pandas as pd

    column = results.target.column
    rows = []
    for item in results.simulated:
        outcome = item.outcome
        row: dict[str, Any] = {"molecule_id": item.molecule_id, "smiles": item.smiles}
        row[column] = outcome.value if isinstance(outcome, Success) else None
        row |= {"level": outcome.level, "fidelity": outcome.fidelity}
        row["flags"] = " ".join(outcome.flags) if isinstance(outcome, Success) else ""
        row |= {
            "failure": outcome.kind if isinstance(outcome, Failure) else "",
            "message": outcome.message if isinstance(outcome, Failure) else "",
            "batch": item.batch,
            "time_s": item.time_s,
            "seconds": outcome.seconds,
            "worker": item.worker,
        }
        if geometries:
            geometry = outcome.geometry if isinstance(outcome, Success) else None
            row["numbers"] = geometry and geometry.numbers.tolist()
            row["positions_angstrom"] = geometry and geometry.positions_angstrom.tolist()
        rows.append(row)
    columns: dict[str, list[Any]] = {
        name: [row[name] for row in rows] for name in _columns(column, geometries=geometries)
    }
    for name in TEXT_COLUMNS:
        columns[name] = each(utf8_text, columns[name])
    frame = pd.DataFrame(columns)
    frame[column] = frame[column].astype("float64")
    return frame.set_index("molecule_id")


def _columns(column: str, *, geometries: bool) -> list[str]:
    columns = ["molecule_id", "smiles", column, "level", "fidelity", "flags"]
    columns += ["failure", "message", "batch", "time_s", "seconds", "worker"]
    return columns + ["numbers", "positions_angstrom"] * geometries


def parquet_schema(column: str) -> "pa.Schema":
    """Return the types of the columns with geometries, the same whatever a run has found."""
    import pyarrow as pa

    others = {
        "molecule_id": pa.int64(),
        "batch": pa.int64(),
        "numbers": pa.list_(pa.int64()),
        "positions_angstrom": pa.list_(pa.list_(pa.float64())),
    }
    return pa.schema(
        (name, pa.string() if name in TEXT_COLUMNS else others.get(name, pa.float64()))
        for name in _columns(column, geometries=True)
    )

"""A run's outcomes as a pandas DataFrame."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from molloop.campaign.jobs import Simulated
from molloop.goal import Quantity
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Stage
from molloop.texts import each, utf8_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TEXT_COLUMNS = ("smiles", "level", "fidelity", "flags", "failure", "message", "worker")


def outcome_frame(
    items: Sequence[Simulated],
    quantity: Quantity,
    stages: Mapping[str, Stage],
    *,
    geometries: bool = False,
) -> "pd.DataFrame":
    """Return the rows of :meth:`Results.frame`."""
    import pandas as pd

    column, name = quantity.column, quantity.name
    outcomes = [item.outcome for item in items]
    successes = [one if isinstance(one, Success) else None for one in outcomes]
    failures = [one if isinstance(one, Failure) else None for one in outcomes]
    columns: dict[str, list[Any]] = {
        "molecule_id": [item.molecule_id for item in items],
        "smiles": [item.smiles for item in items],
        column: [item.value(name) for item in items],
        "level": [stages[item.stage].level for item in items],
        "fidelity": [stages[item.stage].fidelity for item in items],
        "flags": [" ".join(one.flags) if one else "" for one in successes],
        "failure": [one.kind if one else "" for one in failures],
        "message": [one.message if one else "" for one in failures],
        "batch": [item.batch for item in items],
        "time_s": [item.time_s for item in items],
        "seconds": [one.seconds for one in outcomes],
        "worker": [item.worker for item in items],
    }
    if geometries:
        found = [one and one.geometry for one in successes]
        columns["numbers"] = [one and one.numbers.tolist() for one in found]
        columns["positions_angstrom"] = [one and one.positions_angstrom.tolist() for one in found]
    for name in TEXT_COLUMNS:
        columns[name] = each(utf8_text, columns[name])
    # as records, of which pandas takes a column without any value for one of objects
    frame = pd.DataFrame.from_records(
        list(zip(*columns.values(), strict=True)), columns=list(columns)
    )
    frame[column] = frame[column].astype("float64")
    return frame.set_index("molecule_id")


def parquet_schema(column: str) -> "pa.Schema":
    """Return the types of the columns with geometries, the same whatever a run has found."""
    import pyarrow as pa

    names = ["molecule_id", "smiles", column, "level", "fidelity", "flags", "failure", "message"]
    names += ["batch", "time_s", "seconds", "worker", "numbers", "positions_angstrom"]
    others = {
        "molecule_id": pa.int64(),
        "batch": pa.int64(),
        "numbers": pa.list_(pa.int64()),
        "positions_angstrom": pa.list_(pa.list_(pa.float64())),
    }
    return pa.schema(
        (name, pa.string() if name in TEXT_COLUMNS else others.get(name, pa.float64()))
        for name in names
    )

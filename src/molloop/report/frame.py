"""A run's outcomes as a pandas DataFrame."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from molloop.campaign.jobs import Simulated
from molloop.goal import OTHER_COLUMNS, Quantity
from molloop.molecule import Labels
from molloop.report.kept import kept_cells, kept_columns
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Stage
from molloop.texts import each, utf8_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STATE_COLUMNS = ("charge", "n_unpaired")
TEXT_COLUMNS = (
    *("smiles", "name", "level", "fidelity", "flags", "versions", "failure", "message", "worker"),
)

CONDITIONS = ("conditions",)  # a column where some molecules do not meet them


def met(molecule_id: int, left_out: Collection[int]) -> str:
    """Return what tables say of a molecule and the conditions."""
    return "not met" if molecule_id in left_out else "met"


def outcome_frame(
    items: Sequence[Simulated],
    quantity: Quantity,
    stages: Mapping[str, Stage],
    *,
    geometries: bool = False,
    library: Labels | None = None,
    further: Sequence[Quantity] = (),
    versions: str = "",
    others: Mapping[str, Mapping[int, float]],
    left_out: Collection[int] = (),
) -> "pd.DataFrame":
    """Return the rows of :meth:`Found.frame`.

    Parameters
    ----------
    others
        Further numbers: column -> molecule id -> number.
    left_out
        Ids of molecules that do not meet the conditions. Where there are some, a column tells.
    """
    import pandas as pd

    column, name = quantity.column, quantity.name
    outcomes = [item.outcome for item in items]
    successes = [one if isinstance(one, Success) else None for one in outcomes]
    failures = [one if isinstance(one, Failure) else None for one in outcomes]
    states = [one and one.molecule for one in successes]
    asked = CONDITIONS if left_out else ()
    columns: dict[str, list[Any]] = {
        "molecule_id": [item.molecule_id for item in items],
        "smiles": [item.smiles for item in items],
        "name": [item.name for item in items],
        "charge": [one and one.charge for one in states],
        "n_unpaired": [one and one.n_unpaired for one in states],
        column: [item.value(name) for item in items],
        **{one.column: [item.value(one.name) for item in items] for one in further},
        **{key: [one.get(item.molecule_id) for item in items] for key, one in others.items()},
        **{key: [met(item.molecule_id, left_out) for item in items] for key in asked},
        "level": [stages[item.stage].level for item in items],
        "fidelity": [stages[item.stage].fidelity for item in items],
        "flags": [" ".join(one.flags) if one else "" for one in successes],
        "versions": [versions] * len(items),
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
    values = [column, *(one.column for one in further), *others]
    kept = kept_columns(library, {*OTHER_COLUMNS, *values, *asked})
    cells = [kept_cells(library, item.molecule_id, kept) for item in items]
    columns |= {name: [row[k] for row in cells] for k, name in enumerate(kept.values())}
    for name in (*TEXT_COLUMNS, *kept.values()):
        columns[name] = each(utf8_text, columns[name])
    # as records, of which pandas takes a column without any value for one of objects
    frame = pd.DataFrame.from_records(
        list(zip(*columns.values(), strict=True)), columns=list(columns)
    )
    for name in values:
        frame[name] = frame[name].astype("float64")
    for name in STATE_COLUMNS:
        frame[name] = frame[name].astype("Int64")  # whole numbers, or nothing
    return frame.set_index("molecule_id")


def parquet_schema(names: Sequence[str], kept: Collection[str]) -> "pa.Schema":
    """Return the types of the columns with geometries, the same whatever a run has found.

    Parameters
    ----------
    names
        Of all columns.
    kept
        Those of them that are of the user's own file.
    """
    import pyarrow as pa

    texts = {*TEXT_COLUMNS, *kept}
    others = {
        "molecule_id": pa.int64(),
        "charge": pa.int64(),
        "n_unpaired": pa.int64(),
        "batch": pa.int64(),
        "numbers": pa.list_(pa.int64()),
        "positions_angstrom": pa.list_(pa.list_(pa.float64())),
    }
    return pa.schema(
        (name, pa.string() if name in texts else others.get(name, pa.float64())) for name in names
    )

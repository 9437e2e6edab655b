"""What the model of a run expects of the run's library, as its next ranking would."""

import csv
from collections.abc import Iterator
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molloop.assembly.trained import Trained, trained_on
from molloop.assembly.trained_goals import TrainedGoal, trained_goal
from molloop.config.settings import Settings
from molloop.errors import InputError, not_written
from molloop.files import write_whole
from molloop.library.selection import Selection, shards_of
from molloop.library.shards import Library, Progress
from molloop.report.kept import kept_cells, kept_columns
from molloop.store.reader import Reader
from molloop.texts import csv_cell, sheet_cell, sheet_lines, utf8_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENDINGS = (".csv", ".parquet")
Row = list[int | float | str | None]


class Predictions:
    """What a run's model says: a row a molecule, made when it is asked for, a part at a time.

    Attributes
    ----------
    objective, protocol
        What the values are, and how they were computed.
    library
        Whose molecules these are.
    n_values
        That the model was trained on.
    goal
        What was searched for.
    """

    def __init__(
        self,
        settings: Settings,
        library: Library,
        selection: Selection,
        trained: Trained | TrainedGoal,
        top: int | None,
        progress: Progress,
    ) -> None:
        self.goal = settings.goal()
        self.objective = self.goal.objective
        self.protocol = settings.protocol()
        self.library = library
        self.n_values = trained.n_values
        self._selection = selection
        self._trained, self._top, self._progress = trained, top, progress

    @property
    def n_molecules(self) -> int:
        """How many rows there are.

        All that meet the run's conditions, in the order of the library; or the best predicted ones
        first. Of several objectives or constraints the best are those that are expected to keep the
        constraints, first the ones that no other is expected to beat.
        """
        return self._selection.n_left if self._top is None else len(self._best.ids)

    @property
    def header(self) -> list[str]:
        """Names of the columns: what is expected is not named as a value is."""
        return [*self._own_header, *kept_columns(self.library, self._own_header).values()]

    @property
    def _own_header(self) -> list[str]:
        return ["molecule_id", "smiles", "name", *self._trained.columns, "level", "fidelity"]

    def frame(self) -> "pd.DataFrame":
        """Return all rows, indexed by the molecule's id.

        For ``ie_ev``: `smiles`, `name`, `predicted_ie_ev` and its `_std`; `ie_ev`, NaN where it was
        not simulated; `level`, `fidelity`; columns that the library has kept.
        """
        import pyarrow as pa

        table = pa.Table.from_batches(list(self._batches()), self._schema())
        frame: pd.DataFrame = table.to_pandas().set_index("molecule_id")
        return frame

    def csv_lines(self) -> Iterator[list[str]]:
        """Return the lines of the same as CSV, some thousands at a time, the header first."""
        yield [_csv_line(list(map(sheet_cell, self.header)))]
        for rows in self._rows():
            yield [_csv_line(_csv_row(row, len(self._own_header))) for row in rows]

    def write(self, path: Path) -> None:
        """Write a .csv or .parquet file, whole or not at all, in memory for a part of it.

        Raises
        ------
        InputError
            It has another ending, or cannot be written.
        RunError
            The disk is full.
        """
        check_ending(path)
        write = self._write_csv if path.suffix.lower() == ".csv" else self._write_parquet
        try:
            write_whole(path, write)
        except OSError as error:
            raise not_written("file to write", path, error) from error

    def _write_csv(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            for lines in self.csv_lines():
                file.writelines(f"{line}\n" for line in lines)

    def _write_parquet(self, path: Path) -> None:
        from pyarrow import parquet

        with parquet.ParquetWriter(path, self._schema()) as writer:
            for batch in self._batches():
                writer.write_batch(batch)

    def _schema(self) -> "pa.Schema":
        import pyarrow as pa

        own = dict.fromkeys(self._trained.columns, pa.float64()) | {"molecule_id": pa.int64()}
        return pa.schema([(name, own.get(name, pa.string())) for name in self.header])

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        import pyarrow as pa

        schema = self._schema()
        for rows in self._rows():
            columns = [
                [utf8_text(one) if isinstance(one, str) else one for one in column]
                for column in zip(*rows, strict=True)
            ]
            arrays = [
                pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)
            ]
            yield pa.record_batch(arrays, schema=schema)

    def _rows(self) -> Iterator[list[Row]]:
        kept = kept_columns(self.library, self._own_header)
        own = self.protocol.outcome_level, self.protocol.outcome_fidelity
        learnt = self._trained.learnt_levels
        # of what has no value: by what the model has learnt
        expected = " ".join(one or own[0] for one in learnt), own[1] if "" in learnt else ""
        for part in self._parts():
            rows: list[Row] = []
            for key, numbers in zip(part.ids.tolist(), self._trained.numbers(part), strict=True):
                texts = self.library.smiles(key), self.library.name(key)
                level = self._trained.level(key)
                made_by = (level, "") if level else own if key in self._trained.values else expected
                rows.append([key, *texts, *numbers, *made_by, *kept_cells(self.library, key, kept)])
            yield rows

    def _parts(self) -> Iterator[Any]:
        return self._told() if self._top is None else iter([self._best])

    @cached_property
    def _best(self) -> Any:
        assert self._top is not None
        return self._trained.best(self._told(), self._top)

    def _told(self) -> Iterator[Any]:
        """Predict on one thread, as a worker does: the same numbers."""
        from threadpoolctl import threadpool_limits

        shards = shards_of(self.library, self._selection)
        trained = self._trained
        scaling = self.library.scalings[trained.kind]
        parts: Iterator[Any] = trained.parts(shards, scaling)
        n_done = 0
        while True:
            self._progress("predicting", n_done / self._selection.n_left)
            with threadpool_limits(1):
                part = next(parts, None)
            if part is None:
                return
            n_done += len(part.ids)
            yield part


def check_ending(path: Path) -> None:
    """Raise InputError where a file is none that predictions are written to."""
    if path.suffix.lower() not in ENDINGS:
        expected = f"a file that ends with {' or '.join(ENDINGS)}"
        raise InputError("file to write", str(path), expected, "Rename it.")


def predictions_of(
    reader: Reader,
    settings: Settings,
    library: Library,
    selection: Selection,
    top: int | None,
    progress: Progress,
) -> Predictions:
    """Train the model of a run on all values of the run, as its next ranking would.

    Parameters
    ----------
    selection
        The molecules that are predicted.

    Raises
    ------
    InputError
        The policy goes by no model, or there is no value.
    """
    if not settings.policy().predicts:
        name = settings.search.policy
        raise InputError("search.policy", name, "one with a model", "Chance predicts nothing.")
    progress("training", 0.0)
    if settings.goal().is_plain:
        trained: Trained | TrainedGoal = trained_on(reader, settings, library)
    else:
        trained = trained_goal(reader, settings, library)
    return Predictions(settings, library, selection, trained, top, progress)


def _csv_row(row: Row, n_own: int) -> list[str]:
    """Return the cells of a row; the SMILES, its second, stays as it is.

    Parameters
    ----------
    n_own
        Of its cells; those behind them are of the user's own file.
    """
    key, smiles, *others = row[:n_own]
    kept = [sheet_lines(str(one)) for one in row[n_own:]]
    return [str(key), csv_cell(str(smiles)), *map(_cell, others), *kept]


def _cell(one: int | float | str | None) -> str:
    if one is None:
        return ""
    return sheet_cell(one) if isinstance(one, str) else repr(one)


def _csv_line(cells: list[str]) -> str:
    text = StringIO()
    # without a line end of its own, it would not quote cells that hold one
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().removesuffix("\n")

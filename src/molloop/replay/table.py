"""Tables of known values, and the libraries of their molecules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.warm_start import identified
from molloop.errors import InputError
from molloop.goal import Objective, slug
from molloop.intervals import Floats
from molloop.library.ingest import open_or_build
from molloop.library.reading.options import Reading
from molloop.library.selection import Selection
from molloop.library.shards import Library, Progress
from molloop.library.tables import FLAGS, MADE_BY, SMILES, check_made_alike, rows_of
from molloop.replay.durations import draw_durations, is_distribution
from molloop.simulate.doubts import doubts
from molloop.simulate.outcome import LARGEST_VALUE

IE_COLUMN = "ie_ev"
DEFAULT_DURATIONS = "constant:1"
DURATIONS_OF_STAGES = "cpu_s"
MOST_S = 1e9
BUILT_IN = {"qm9-ie-20k": ("qm9-ie-20k.csv.gz", "cpu_s")}  # file, and its column of seconds
# level and fidelity of its columns
BUILT_IN_MADE_BY = {
    "ie_ev": ("gfn2", "relaxed"),
    "ie_mmff_geometry_ev": ("gfn2", "mmff-geometry"),
}


@dataclass(frozen=True, eq=False)
class Table:
    """A library whose values are known.

    Attributes
    ----------
    name
        What the user calls it.
    column
        Of the values.
    values
        By molecule id, shape (n,); NaN where a simulation gives none.
    durations_s
        Of the simulations, shape (n,).
    level, fidelity
        How the values were computed, as the table says; empty where it does not.
    selection
        Which molecules may be chosen; None: all.
    flags
        Of the values, by molecule id; of most molecules there are none.
    below
        Of several stages, values and durations of those below the last one, the first one first.
    stages
        Names of all of them, as in the names of the columns.
    further
        Values of further quantities, by their columns, each of shape (n,).
    """

    name: str
    column: str
    library: Library
    values: Floats
    durations_s: Floats
    level: str = ""
    fidelity: str = ""
    selection: Selection | None = None
    flags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    below: tuple[tuple[Floats, Floats], ...] = ()
    stages: tuple[str, ...] = ()
    further: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def of_stages(self) -> tuple[tuple[Floats, Floats], ...]:
        """Values and durations of each stage, the first one first."""
        return (*self.below, (self.values, self.durations_s))

    def best_of(self, objective: Objective) -> Floats:
        """Return the values that may be the best, shape (n,): NaN also where a flag forbids it.

        Raises
        ------
        InputError
            None of them may.
        """
        values = self.values.copy()
        if not objective.keeps_flagged:
            some = [key for key, one in self.flags.items() if doubts(one, objective.recipe)]
            values[some] = nan
        if not np.isfinite(values).any():
            raise InputError(
                "property.flagged",
                objective.flagged.value,
                f"a value in {self.name} on which no flag casts doubt",
                "Say keep, or empty the column of flags.",
            )
        return values

    def under(self, selection: Selection) -> "Table":
        """Return the table of the molecules that meet some conditions: the others have no value.

        Raises
        ------
        InputError
            None of them has one.
        """
        values = np.where(selection.mask(), self.values, nan)
        if not np.isfinite(values).any():
            raise InputError(
                "conditions",
                selection.words,
                f"one molecule with a value of {self.column} at least",
                "Loosen one of them.",
            )
        return replace(self, values=values, selection=selection)


def locate(name: str) -> Path:
    """Return the file of a table.

    Raises
    ------
    InputError
        There is none.
    """
    if name in BUILT_IN:
        return Path(str(resources.files("molloop.replay") / "data" / BUILT_IN[name][0]))
    path = Path(name).expanduser()
    if not path.is_file():
        raise InputError(
            "table",
            name,
            f"a built-in one ({', '.join(BUILT_IN)}) or a file",
            "It needs a column of SMILES and one of values.",
        )
    return path.resolve()


def open_table(
    name: str,
    cache_dir: Path,
    column: str = IE_COLUMN,
    durations: str | None = None,
    seed: int = 0,
    n_processes: int = 1,
    progress: Progress | None = None,
    reading: Reading | None = None,
    stages: Sequence[str] = (),
    further: Sequence[str] = (),
) -> Table:
    """Read a table, and open the library of its molecules; at first use it is built.

    Where two rows are the same molecule, the first one with a value counts.

    Parameters
    ----------
    name
        A built-in one, or a file of molecules that has a column of values.
    column
        Of the values.
    durations
        A column of seconds, or a distribution: see :mod:`molloop.replay.durations`. None: the
        column of a built-in table, a second each otherwise.
    seed
        Of what is drawn.
    cache_dir, n_processes, progress
        As of :func:`molloop.library.ingest.open_or_build`.
    reading
        What the user says of the file.
    stages
        Names of the stages of a ladder, the first one first: each has a column of values and one of
        seconds, whose names end with its own, ``ie_ev_gfn2`` and ``cpu_s_gfn2`` (or what
        `durations` says in the place of ``cpu_s``).
    further
        Columns of the values of further quantities.

    Raises
    ------
    InputError
        The file, a column or a number in it cannot be read.
    """
    path = locate(name)
    if durations is None:
        durations = BUILT_IN[name][1] if name in BUILT_IN else DEFAULT_DURATIONS
        durations = DURATIONS_OF_STAGES if stages else durations
    if (is_drawn := is_distribution(durations)) and stages:
        expected = f"what names of columns of seconds begin with, such as {DURATIONS_OF_STAGES}"
        raise InputError("durations", durations, expected, "Each stage has a column of its own.")
    for what, chosen in (("column", column), ("durations", durations)):
        if chosen == SMILES:
            raise InputError(what, chosen, "a column of numbers", "Name another.")
    reading = reading or Reading()
    endings = [f"_{slug(one)}" for one in stages] or [""]
    names = [(f"{column}{one}", f"{durations}{one}") for one in endings]
    numbers = [column] if is_drawn else [one for pair in names for one in pair]
    smiles, columns, flags, made_by = _read(path, [*numbers, *further], reading)
    if name in BUILT_IN and column in BUILT_IN_MADE_BY:
        made_by = dict(zip(MADE_BY, BUILT_IN_MADE_BY[column], strict=True))
    library = open_or_build(
        str(path),
        reading=reading,
        cache_dir=cache_dir,
        n_processes=n_processes,
        progress=progress,
    )
    order = _rows_of(library, path, smiles, np.isfinite(columns[names[0][0]]))
    rng = np.random.default_rng([seed, 0])
    if is_drawn:
        columns[durations] = draw_durations(durations, len(smiles), rng)
    of_stages = [_of_stage(path, columns, order, *pair) for pair in names]
    level, fidelity = (made_by.get(one, "") for one in MADE_BY)
    return Table(
        *(name, column, library, *of_stages[-1], level, fidelity),
        flags={key: flags[row] for key, row in enumerate(order) if row in flags},
        below=tuple(of_stages[:-1]),
        stages=tuple(stages),
        further={name: columns[name][order] for name in further},
    )


def _of_stage(
    path: Path, columns: Mapping[str, Floats], order: Sequence[int], column: str, durations: str
) -> tuple[Floats, Floats]:
    """Return values and seconds of the molecules of a library, from their rows of a table."""
    values, seconds = columns[column][order], columns[durations][order]
    if np.isfinite(values).sum() < 2:
        raise InputError("column", column, f"two values at least in {path}", "Name another.")
    if not np.all((seconds >= 0) & (seconds <= MOST_S)):
        raise InputError(
            "durations",
            durations,
            f"a number of seconds in every row, {MOST_S:g} at most",
            "Name a distribution, or other numbers.",
        )
    return values, seconds


def _rows_of(
    library: Library, path: Path, smiles: Sequence[str], has_value: NDArray[np.bool_]
) -> list[int]:
    """Return a row of each molecule of a library: the first with a value, else the first.

    A molecule is found by its text, else by what it is: another row may write it differently, and a
    library of InChI or molfiles has other texts than the file.
    """
    in_order = [*np.flatnonzero(has_value).tolist(), *np.flatnonzero(~has_value).tolist()]
    by_text: dict[str, int] = {}
    for row in in_order:
        by_text.setdefault(smiles[row], row)
    texts = [library.smiles(key) for key in range(library.n_molecules)]
    found = [by_text.get(text) for text in texts]
    wanted = {key for key, row in enumerate(found) if row is None or not has_value[row]}
    if wanted:
        is_lost, chosen = None in found, set(found)
        others = [row for row in in_order if row not in chosen and (is_lost or has_value[row])]
        hashes = {row: _hash_of(path, smiles[row], library) for row in others}
        keys = library.find(one for one in hashes.values() if one is not None)
        for row, one in hashes.items():
            key = None if one is None else keys.get(one)
            if key in wanted and key is not None and (found[key] is None or has_value[row]):
                found[key] = row
                wanted.discard(key)
    rows = [row for row in found if row is not None]
    assert len(rows) == len(found)  # the library was built of these rows
    return rows


def _hash_of(path: Path, smiles: str, library: Library) -> int | None:
    """Return the hash of a row's molecule; None where the row is none, and is left out."""
    try:
        return identified(str(path), smiles, library)[0]
    except InputError:
        return None


def _read(
    path: Path, columns: Sequence[str], reading: Reading
) -> tuple[list[str], dict[str, Floats], dict[int, tuple[str, ...]], dict[str, str]]:
    """Return the SMILES, the numbers of some columns, and what the table says of their making.

    A number is NaN where its cell is empty. Flags are those of a row, by its place.
    """
    smiles: list[str] = []
    numbers: dict[str, list[float]] = {name: [] for name in columns}
    made_by: dict[str, str] = {}
    flags: dict[int, tuple[str, ...]] = {}
    with rows_of(path, "table", list(numbers), (*MADE_BY, FLAGS), reading) as table:
        for line, cells in table:
            if some := tuple(cells.get(FLAGS, "").split()):
                flags[len(smiles)] = some
            smiles.append(cells[SMILES])
            for name, found in numbers.items():
                found.append(table.number(line, name, cells[name], LARGEST_VALUE, empty=nan))
            check_made_alike(f"{path}, line {line}", cells, made_by)
    return smiles, {name: np.array(found) for name, found in numbers.items()}, flags, made_by

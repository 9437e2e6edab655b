"""Tables of known values, opened, and as a configuration plays them."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from molloop.assembly.campaign import cores
from molloop.assembly.conditions import select_for
from molloop.config.load import override
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.library.manifest import DUPLICATES, REJECTS
from molloop.library.reading.options import BESIDE_VALUES, Reading
from molloop.library.shards import Progress
from molloop.replay.table import BUILT_IN, IE_COLUMN, Table, open_table
from molloop.texts import counted


def open_known(
    name: str,
    column: str = IE_COLUMN,
    durations: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    smiles_column: str | int | None = None,
    separator: str | None = None,
    no_header: bool = False,
    stages: Sequence[str] = (),
    further: Sequence[str] = (),
) -> Table:
    """Open a table of known values, and the library of its molecules; at first use it is built.

    Parameters
    ----------
    name
        A built-in one, ``qm9-ie-20k``, or a file of molecules that has a column of values.
    column
        Of the values.
    durations
        A column of seconds, or ``constant:S``, ``uniform:LEAST,MOST``, ``exponential:MEAN``,
        ``lognormal:MEDIAN,SIGMA``. None: the column of a built-in table, a second each otherwise.
    seed
        Of what is drawn.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.
    smiles_column, separator, no_header
        Of the file, as :confval:`library.column`, :confval:`library.separator` and
        :confval:`library.no_header`.
    stages
        Names of the stages of a ladder, the first one first. Each has a column of values and one of
        seconds, whose names end with its own: ``ie_ev_gfn2`` and ``cpu_s_gfn2``, or what
        `durations` says in the place of ``cpu_s``.
    further
        Columns of further quantities of a goal.

    Raises
    ------
    InputError
        The file, a column or a number in it cannot be read.
    """
    import platformdirs

    cache_dir = platformdirs.user_cache_path("molloop") / "libraries"
    reading = Reading.of(
        smiles_column, separator=separator, no_header=no_header, spelling=BESIDE_VALUES
    )
    return open_table(
        name, cache_dir, column, durations, seed, cores(), progress, reading, stages, further
    )


def check_replayable(settings: Settings) -> None:
    """Raise InputError where a replay knows no such table: of a goal and of stages at once."""
    if settings.stages and settings.goal().wider:
        raise InputError(
            "stages",
            f"{len(settings.stages)} stages beside several objectives or constraints",
            "stages, or a goal of several objectives or constraints, in a replay",
            "Leave out [[stages]], or [[objectives]] and [[constraints]].",
        )


def table_settings(settings: Settings, table: Table) -> Settings:
    """Return a configuration whose property is that of a table."""
    own = settings.objective().quantity.column
    columns = [one.column for one in settings.goal().computed]
    if table.column == own and set(columns[1:]) <= table.further.keys():
        return settings
    if settings.goal().wider:
        there = ", ".join((table.column, *table.further))
        expected = f"the columns of the goal, {', '.join(columns)}"
        raise InputError("column", there, expected, "Open the table with them.")
    if table.stages:
        expected = f"{own}, the column of the property"
        raise InputError("column", table.column, expected, "Name the property that it holds.")
    simulator = f"table-{re.sub(r'[^A-Za-z0-9_.-]+', '_', Path(table.name).name)}"
    facts = {"name": table.column, "unit": "", "simulator": simulator}
    return override(settings, {f"property.{key}": value for key, value in facts.items()})


def runnable(tuned: Settings, given: Settings) -> Settings:
    """Return what was tuned on a table, with the property and the simulation that were given."""
    own = {"property": given.property, "simulation": given.simulation}
    return tuned.model_copy(update=own)


def set_up(
    table: Table, settings: Settings, progress: Progress
) -> tuple[Table, Settings, tuple[str, ...]]:
    """Return what a configuration makes of a table, itself for the table, and remarks in words.

    What the conditions leave out can neither be chosen nor counts among the best. No other molecule
    is left out: one whose value is known needs not be simulated. The remarks also count the rows of
    the table that are not played.

    Raises
    ------
    InputError, RunError
        A condition is wrong, none of the molecules that meet them has a value, or what is found of
        them cannot be kept.
    """

    def report(what: str, fraction: float) -> None:
        progress(f"conditions: {what}", fraction)

    check_replayable(settings)
    stages = tuple(one.stage for one in settings.protocols()) if settings.stages else ()
    if stages != table.stages:
        raise InputError(
            "stages",
            ", ".join(stages) or None,
            f"those of the table, {', '.join(table.stages)}"
            if table.stages
            else "none, as the table was opened without stages",
            "Open it with the stages of the configuration.",
        )
    settings = table_settings(settings, table)
    selection, remarks = select_for(settings, table.library, report, simulates=False)
    remarks = (*_rows_left_out(table), *remarks)
    return (table.under(selection) if selection.path else table), settings, remarks


def _rows_left_out(table: Table) -> Iterator[str]:
    if table.name in BUILT_IN:
        return
    counts, folder = table.library.manifest.counts, table.library.folder
    if counts.invalid:
        hold = "holds" if counts.invalid == 1 else "hold"
        yield (
            f"{counted(counts.invalid, 'row')} of the table {hold} no molecule: left out "
            f"({folder / REJECTS})"
        )
    if counts.duplicates:
        hold = "holds" if counts.duplicates == 1 else "hold"
        yield (
            f"{counted(counts.duplicates, 'row')} of the table {hold} a molecule of an earlier "
            f"row: the first value counts ({folder / DUPLICATES})"
        )

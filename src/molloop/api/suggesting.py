"""What to try next, for values that come from elsewhere."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molloop.api.libraries import open_library
from molloop.assembly.conditions import charges_told, conditions_of, select_by
from molloop.assembly.counts import at_least_one
from molloop.assembly.features import features_for, knowing
from molloop.assembly.given import given_of_goal, given_pending, given_values
from molloop.assembly.measured import TRAINING_DATA, Measured, read_measured, read_pending
from molloop.assembly.suggest import Suggestions, suggestions
from molloop.config.conditions import ConditionsSettings
from molloop.config.load import load, override
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.files import AnyPath
from molloop.library.conditions import each_of
from molloop.library.reading.options import BESIDE_VALUES, Reading
from molloop.library.selection import Selection
from molloop.library.shards import Library, Progress

if TYPE_CHECKING:
    import pandas as pd

UP = "maximise"
OF_GOAL = {"property", "objectives", "constraints"}  # what of a configuration states it
# settings, and what they are called here
NAMES = {
    "search.policy": "policy",
    "search.features": "features",
    "search.diversity": "diversity",
    "property.direction": "direction",
    "campaign.seed": "seed",
}


def suggest(
    library: Library | Settings | AnyPath,
    training_data: "Mapping[str, Any] | pd.Series | pd.DataFrame | AnyPath",
    n: int = 20,
    *,
    goal: Settings | Mapping[str, Any] | AnyPath | None = None,
    pending: Iterable[str] | AnyPath | None = None,
    column: str | None = None,
    smiles_column: str | int | None = None,
    separator: str | None = None,
    no_header: bool = False,
    direction: str = "maximise",
    policy: str = "gp",
    features: str | None = None,
    diversity: float | None = None,
    seed: int = 42,
    conditions: ConditionsSettings | Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Suggestions:
    """Name the molecules of a library to try next, for values that come from elsewhere.

    Values of an experiment or of another code train a model, and the library is ranked with it, as
    in a run, but for the simulations: ask, try, and ask again with what came out.

    Parameters
    ----------
    library
        Or what :func:`open_library` takes.
    training_data
        A table with a column of SMILES and one of numbers; or values by SMILES, in a dict or a
        Series of pandas. Molecules that the library does not hold train the model, too. One whose
        cell is empty, or whose value is None or NaN, was tried and gave no value: it is not
        suggested either, and molecules like it come later. With a goal, a column of numbers for
        each computed quantity; or dicts of values, by these columns, by SMILES; or a frame of
        pandas that is indexed by SMILES.
    n
        How many.
    goal
        A configuration whose ``objectives`` and ``constraints`` say what is searched for, where
        that is more than one quantity: a file, settings, or sections as :func:`molloop.load` takes
        them. Of ``property`` its simulator says which quantities there may be. None: `direction`
        says it.
    pending
        Molecules that are being tried elsewhere: a file, or SMILES. They are not suggested, and
        others are chosen as if their values were known to be the expected ones. One that has a
        value is pending no more.
    column
        Of the values; None: the only one that holds numbers.
    smiles_column, separator, no_header
        Of the file of values, as :confval:`library.column`, :confval:`library.separator` and
        :confval:`library.no_header`; also of that of pending molecules, where a look at it does not
        tell.
    direction
        Which values are good: ``maximise`` or ``minimise``.
    policy
        As :confval:`search.policy`.
    features
        As :confval:`search.features`.
    diversity
        As :confval:`search.diversity`; also the distance of each from what is pending.
    seed
        Of whatever the model draws.
    conditions
        What a molecule must be to be suggested: as the section ``[conditions]`` of a configuration.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        A file, a column, a SMILES or a value cannot be read, values were computed in different
        ways, a molecule has two, there are fewer than two, no molecule is left, or a condition or
        the goal is wrong.
    RunError
        As :func:`open_library`.
    """
    n = at_least_one("n", n)
    base = None if goal is None else _stated(goal, column, direction)
    with _called_as_here():
        given = (policy, features, diversity, None if base else direction, seed)
        changes = {key: one for key, one in zip(NAMES, given, strict=True) if one is not None}
        settings = override(base or load(), changes)
        chooses = settings.policy()
    if policy == "random":
        raise InputError("policy", policy, "one with a model", "Chance needs no values.")
    reading = Reading.of(
        smiles_column, separator=separator, no_header=no_header, spelling=BESIDE_VALUES
    )
    columns = [one.column for one in settings.goal().computed] if base else []
    values = _values(training_data, column, columns, reading)
    if isinstance(pending, str | os.PathLike):
        waiting = read_pending(Path(pending), reading)
    else:
        waiting = given_pending(() if pending is None else pending)
    wanted = conditions
    if not isinstance(wanted, ConditionsSettings):
        wanted = load(conditions=wanted or {}).conditions
    stated = conditions_of(wanted)
    opened = library if isinstance(library, Library) else open_library(library, progress)
    opened = knowing(settings, features_for([chooses], opened, progress), progress)
    selection = select_by(stated, opened, progress) if each_of(stated) else None
    is_ie = values.column == settings.objective().quantity.column
    return suggestions(
        opened,
        values,
        waiting,
        n,
        goal=settings.goal(),
        policy=chooses,
        seed=settings.campaign.seed,
        selection=selection,
        charges=charges_told(selection or Selection.of_all(opened), opened) if is_ie else "",
    )


@contextmanager
def _called_as_here() -> Iterator[None]:
    """Let errors call settings what the arguments are called."""
    try:
        yield
    except InputError as error:
        what = NAMES.get(error.what, error.what)
        raise InputError(what, error.value, error.expected, error.remedy) from error


def _stated(
    goal: Settings | Mapping[str, Any] | AnyPath, column: str | None, direction: str
) -> Settings:
    """Return the configuration of a goal: of it, what says what is searched for."""
    for what, value in (("column", column), ("direction", None if direction == UP else direction)):
        if value is not None:
            raise InputError(what, value, "it left out beside a goal", "The goal says it.")
    if isinstance(goal, Mapping):
        given = load(**goal)
    else:
        given = goal if isinstance(goal, Settings) else load(goal)
    stated = given.model_dump(exclude_unset=True, include=OF_GOAL)
    return load(**stated)


def _values(
    training_data: "Mapping[str, Any] | pd.Series | pd.DataFrame | AnyPath",
    column: str | None,
    columns: Sequence[str],
    reading: Reading,
) -> Measured:
    """Take the values of a column, or of those of a goal."""
    if isinstance(training_data, str | os.PathLike):
        first = columns[0] if columns else column
        return read_measured(Path(training_data), first, reading, columns[1:])
    if not hasattr(training_data, "items"):
        expected = "a file, or values by SMILES"
        raise InputError(TRAINING_DATA, training_data, expected, "A dict or a Series has them.")
    of_goal = len(columns) > 1 or hasattr(training_data, "columns")
    if columns and of_goal:
        return given_of_goal(training_data, columns)
    return given_values(training_data, columns[0] if columns else column)

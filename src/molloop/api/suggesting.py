"""What to try next, for values that come from elsewhere."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molloop.api.libraries import open_library
from molloop.assembly.conditions import charges_told, conditions_of, select_by
from molloop.assembly.counts import at_least_one
from molloop.assembly.features import features_for
from molloop.assembly.given import given_pending, given_values
from molloop.assembly.measured import TRAINING_DATA, Measured, read_measured, read_pending
from molloop.assembly.suggest import Suggestions, suggestions
from molloop.config.conditions import ConditionsSettings
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.files import AnyPath
from molloop.library.conditions import each_of
from molloop.library.reading.options import BESIDE_VALUES, Reading
from molloop.library.selection import Selection
from molloop.library.shards import Library, Progress

if TYPE_CHECKING:
    import pandas as pd

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
    training_data: "Mapping[str, float | None] | pd.Series | AnyPath",
    n: int = 20,
    *,
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
        suggested either, and molecules like it come later.
    n
        How many.
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
        ways, a molecule has two, there are fewer than two, no molecule is left, or a condition is
        wrong.
    RunError
        As :func:`open_library`.
    """
    n = at_least_one("n", n)
    with _called_as_here():
        given = (policy, features, diversity, direction, seed)
        settings = load(overrides=dict(zip(NAMES, given, strict=True)))
        chooses = settings.policy()
    if policy == "random":
        raise InputError("policy", policy, "one with a model", "Chance needs no values.")
    reading = Reading.of(
        smiles_column, separator=separator, no_header=no_header, spelling=BESIDE_VALUES
    )
    values = _values(training_data, column, reading)
    if isinstance(pending, str | os.PathLike):
        waiting = read_pending(Path(pending), reading)
    else:
        waiting = given_pending(() if pending is None else pending)
    wanted = conditions
    if not isinstance(wanted, ConditionsSettings):
        wanted = load(conditions=wanted or {}).conditions
    stated = conditions_of(wanted)
    opened = library if isinstance(library, Library) else open_library(library, progress)
    opened = features_for([chooses], opened, progress)
    selection = select_by(stated, opened, progress) if each_of(stated) else None
    is_ie = values.column == settings.objective().quantity.column
    return suggestions(
        opened,
        values,
        waiting,
        n,
        sign=settings.objective().sign,
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


def _values(
    training_data: "Mapping[str, float | None] | pd.Series | AnyPath",
    column: str | None,
    reading: Reading,
) -> Measured:
    if isinstance(training_data, str | os.PathLike):
        return read_measured(Path(training_data), column, reading)
    if not hasattr(training_data, "items"):
        expected = "a file, or values by SMILES"
        raise InputError(TRAINING_DATA, training_data, expected, "A dict or a Series has them.")
    return given_values(training_data, column)

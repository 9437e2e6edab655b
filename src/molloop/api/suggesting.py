"""What to try next, for values that come from elsewhere."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from molloop.api.libraries import open_library
from molloop.assembly.conditions import conditions_of, select_by
from molloop.assembly.measured import given_pending, given_values, read_measured, read_pending
from molloop.assembly.suggest import Suggestions, suggestions
from molloop.config.conditions import ConditionsSettings
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.files import AnyPath
from molloop.library.conditions import each_of
from molloop.library.shards import Library, Progress


def suggest(
    library: Library | Settings | AnyPath,
    training_data: Mapping[str, float] | AnyPath,
    n: int = 20,
    *,
    pending: Iterable[str] | AnyPath | None = None,
    column: str | None = None,
    direction: str = "maximise",
    policy: str = "gp",
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
        A .csv or .tsv file with the columns ``smiles`` and one of numbers; or values by SMILES.
        Molecules that the library does not hold train the model, too. One whose cell is empty was
        tried and gave no value: it is not suggested either.
    n
        How many.
    pending
        Molecules that are being tried elsewhere: a file with the column ``smiles``, or SMILES. They
        are not suggested, and others are chosen as if their values were known to be the expected
        ones. One that has a value is pending no more.
    column
        Of the values; None: the only one that holds numbers.
    direction
        Which values are good: ``maximise`` or ``minimise``.
    policy
        As :confval:`search.policy`.
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
    if n < 1:
        raise InputError("n", n, "1 at least", "Ask for more.")
    given = {"search.policy": policy, "property.direction": direction, "campaign.seed": seed}
    settings = load(overrides=given)
    if policy == "random":
        raise InputError("search.policy", policy, "one with a model", "Chance needs no values.")
    if isinstance(training_data, Mapping):
        values = given_values(training_data, column)
    else:
        values = read_measured(Path(training_data), column)
    if isinstance(pending, str | os.PathLike):
        waiting = read_pending(Path(pending))
    else:
        waiting = given_pending(pending or ())
    wanted = conditions
    if not isinstance(wanted, ConditionsSettings):
        wanted = load(conditions=wanted or {}).conditions
    stated = conditions_of(wanted)
    opened = library if isinstance(library, Library) else open_library(library, progress)
    return suggestions(
        opened,
        values,
        waiting,
        n,
        sign=settings.objective().sign,
        policy=settings.policy(),
        seed=settings.campaign.seed,
        selection=select_by(stated, opened, progress) if each_of(stated) else None,
    )

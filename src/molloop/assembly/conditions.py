"""Which molecules of a library a configuration means, and what is to be said of that."""

from collections.abc import Iterator
from dataclasses import replace

from molloop.assembly.campaign import cores
from molloop.assembly.goals import known_conditions
from molloop.config.conditions import ConditionsSettings
from molloop.config.settings import Settings
from molloop.library.choices import BUILT_IN
from molloop.library.conditions import Conditions, DescriptorRange, each_of
from molloop.library.conditions_on_columns import (
    ColumnCondition,
    Condition,
    Elements,
    OneFragment,
    OwnGeometry,
)
from molloop.library.selection import Selection, charges, n_open_stereo, select
from molloop.library.shards import Library, Progress
from molloop.simulate.levels import LAST_ELEMENT, LEVELS, uses_input
from molloop.simulate.simulators import IONIZATION
from molloop.texts import counted


def conditions_of(settings: ConditionsSettings) -> Conditions:
    """Return the conditions that a configuration states.

    Raises
    ------
    InputError
        An element, pattern, descriptor, catalogue or bound is none; the error names it.
    """
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    values["descriptors"] = tuple(
        DescriptorRange(name, one.min, one.max) for name, one in settings.descriptors.items()
    )
    found = Conditions(**values)
    found.check()
    return found


def select_by(
    conditions: Conditions, library: Library, progress: Progress | None = None
) -> Selection:
    """Find the molecules of a library that meet conditions; see `select`."""
    return _select(each_of(conditions), library, progress)


def select_for(
    settings: Settings,
    library: Library,
    progress: Progress | None = None,
    *,
    simulates: bool = True,
) -> tuple[Selection, tuple[str, ...]]:
    """Find the molecules that a run or replay may choose, and what it has to say of them.

    Those that the simulator `ionization` cannot compute are left out, without a word where there
    are none.

    Parameters
    ----------
    simulates
        Whether anything is simulated. Where values are known, all may be chosen that meet the
        conditions.

    Raises
    ------
    InputError, RunError
        As of :func:`molloop.library.selection.select`.
    """
    stated = (*each_of(conditions_of(settings.conditions)), *known_conditions(settings))
    is_ionization = settings.property.simulator == IONIZATION
    implied = tuple(_implied(settings)) if simulates and is_ionization else ()
    selection = _select((*implied, *stated), library, progress)
    unsaid = {one.words for one in implied}
    told = tuple((words, n) for words, n in selection.left_out if n or words not in unsaid)
    selection = replace(selection, left_out=told)
    return selection, tuple(
        _remarks(selection, library, bool(stated), is_ionization, simulates=simulates)
    )


def _implied(settings: Settings) -> Iterator[ColumnCondition]:
    """Return what `ionization` cannot do without."""
    yield OneFragment()
    for level in dict.fromkeys(one.level for one in settings.simulations()):
        yield _known_elements(level)
    if any(uses_input(one.fidelity, one.start_geometry) for one in settings.simulations()):
        yield OwnGeometry()


def _known_elements(level: str) -> ColumnCondition:
    theory = LEVELS[level]
    words = f"elements up to number {LAST_ELEMENT}, as xTB has"
    if theory.kohn_sham is not None:
        words = f"elements up to number {LAST_ELEMENT} without 58 to 71, as {level} has"
    return Elements(words, tuple(sorted(theory.elements)))


def _select(
    conditions: tuple[Condition, ...], library: Library, progress: Progress | None
) -> Selection:
    import platformdirs

    cache_dir = platformdirs.user_cache_path("molloop") / "conditions"
    return select(library, conditions, cache_dir, cores(), progress)


def _remarks(
    selection: Selection,
    library: Library,
    has_conditions: bool,
    is_ionization: bool,
    *,
    simulates: bool,
) -> Iterator[str]:
    if has_conditions or selection.path:
        yield selection.words
    if is_ionization and (told := charges_told(selection, library)):
        yield told
    is_own = library.manifest.name not in BUILT_IN
    if simulates and is_own and (n := n_open_stereo(library, selection)):
        yield (
            f"Stereo is not given in full for {counted(n, 'molecule')}: each gets the value of one "
            "of its isomers."
        )


def charges_told(selection: Selection, library: Library) -> str:
    """Say that charges differ, for who compares IEs; return nothing where they do not."""
    found = charges(library, selection)
    if len(found) < 2:
        return ""
    told = ", ".join(f"{n:,} of charge {charge}" for charge, n in found.items())
    return (
        f"Charges differ: {told}. Their values do not compare, as a cation's IE is a second "
        "ionization; [conditions] charge = 0 leaves the neutral ones."
    )

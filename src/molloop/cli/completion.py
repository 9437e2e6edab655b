"""What a shell completes, by `molloop --install-completion`: values, and what it may say of them.

Typer leaves out those that do not begin with what is typed. Where none is left, the shell lists
files.
"""

from glob import escape, iglob
from itertools import chain

Candidates = list[tuple[str, str]]


def sites() -> Candidates:
    """Return names of sites."""
    from molloop.config.site_file import SITES

    return [(name, facts.summary) for name, facts in SITES.items()]


def policies() -> Candidates:
    """Return names of policies, and of those with another acquisition."""
    from molloop.search.policy import SELECTABLE
    from molloop.surrogate.registry import MODELS, RANDOM

    listed = MODELS.listed()
    others = [
        (f"{name}-{one}", f"{name}, by {one}")
        for name in listed
        for one in SELECTABLE
        if name != RANDOM
    ]
    return [*((name, model.summary) for name, model in listed.items()), *others]


def features() -> Candidates:
    """Return names of features that models learn from."""
    from molloop.library.registry import FEATURES

    return [(name, kind.summary) for name, kind in FEATURES.listed().items()]


def fragments() -> Candidates:
    """Return what may become of molecules in several pieces."""
    from molloop.library.choices import FRAGMENTS

    return list(FRAGMENTS.items())


def same_as() -> Candidates:
    """Return which molecules may count as the same."""
    from molloop.library.choices import SAME_AS

    return list(SAME_AS.items())


def schedules() -> Candidates:
    """Return names of schedules."""
    from molloop.config.campaign import SCHEDULES

    return list(SCHEDULES.items())


def levels() -> Candidates:
    """Return names of levels of theory."""
    from molloop.simulate.levels import LEVELS

    return [(name, f"ionization, {level.label}") for name, level in LEVELS.items()]


def quantities() -> Candidates:
    """Return names of quantities."""
    from molloop.simulate.recipes import RECIPES

    return [(name, recipe.quantity.title) for name, recipe in RECIPES.items()]


def solvents() -> list[str]:
    """Return names of solvents."""
    from molloop.simulate.solvents import SOLVENTS

    return list(SOLVENTS)


def fidelities() -> Candidates:
    """Return names of fidelities."""
    from molloop.simulate.levels import FIDELITIES

    return [(name, f"ionization, {text}") for name, text in FIDELITIES.items()]


def directions() -> list[str]:
    """Return the directions of a search."""
    from molloop.goal import Direction

    return [one.value for one in Direction]


def objectives() -> list[str]:
    """Return what `molloop tune` can search for."""
    from molloop.replay.tune import FRONT_OBJECTIVES, OBJECTIVES

    return list(dict.fromkeys((*OBJECTIVES, *FRONT_OBJECTIVES)))


def export_formats() -> list[str]:
    """Return formats of exports."""
    from molloop.report.export import EXPORT_FORMATS

    return list(EXPORT_FORMATS)


def libraries(incomplete: str) -> list[str]:
    """Return built-in libraries, once something is typed; others are files and folders."""
    from molloop.library.choices import BUILT_IN

    return list(BUILT_IN) if incomplete else []


def tables(incomplete: str) -> list[str]:
    """Return built-in tables, once something is typed; others are files."""
    from molloop.replay.table import BUILT_IN

    return list(BUILT_IN) if incomplete else []


def run_dirs(incomplete: str) -> list[str]:
    """Return the folders that hold a run and begin with what is typed, here or a folder deeper."""
    from molloop.store.run_dir import STORE

    begins = escape(incomplete)
    patterns = (f"{begins}*/{STORE}", f"{begins}*/*/{STORE}")
    # what is typed is no path yet: `runs/` and `runs` begin differently
    found = chain.from_iterable(map(iglob, patterns))
    return sorted({path.removesuffix(f"/{STORE}") for path in found})

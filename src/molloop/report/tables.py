"""The tables of a run directory."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from molloop.campaign.jobs import Simulated
from molloop.files import write_whole
from molloop.goal import Goal, Quantity, Values
from molloop.molecule import Labels, Molecule
from molloop.report.found import Found
from molloop.report.frame import CONDITIONS, met
from molloop.report.kept import kept_cells, kept_columns
from molloop.report.ranking import TimedRanking
from molloop.simulate.outcome import Success
from molloop.texts import csv_cell, sheet_cell, sheet_lines

N_BEST_PREDICTED = 5
MADE_BY = ("batch", "time_s", "level", "fidelity", "flags")


def write_training_data(results: Found, path: Path) -> None:
    """Write every value that a model may learn from, with its level, fidelity and flags.

    Values known beforehand come first, without batch and time. Where a goal has constraints, or
    some molecules do not meet the conditions, columns say of which values they hold.
    """
    further = results.protocol.further
    columns = (one.column for one in (results.objective.quantity, *further))
    goal = results.goal
    bounded = ("constraints",) if goal is not None and goal.constraints else ()
    asked = CONDITIONS if results.left_out else ()
    own = (*("smiles", "name", "charge", "n_unpaired"), *columns, *bounded, *asked, *MADE_BY)
    kept = kept_columns(results.library, own)
    first, quantity = (results.protocols or (results.protocol,))[0], results.objective.quantity
    level, fidelity = first.outcome_level, first.outcome_fidelity
    # of all stages, where there are several
    items = results.simulated if results.protocols else results.successes
    with_values = [(item, item.value(quantity.name)) for item in items]
    known = [
        (
            *(item.smiles, _name(results.library, item.molecule_id) or item.name),
            *("" if one is None else one for one in (item.charge, item.n_unpaired)),
            *(
                number_text(item.value),
                *(number_text(item.further.get(one.name)) for one in further),
            ),
            *(_constraints(one, item.values(one)) for one in (goal,) if one and bounded),
            *("" for _ in (*asked, "batch", "time_s")),
            *(item.level or level, "" if item.level else fidelity, " ".join(item.flags)),
            *kept_cells(results.library, item.molecule_id, kept),
        )
        for item in results.known
    ]
    simulated = [
        (
            *(item.smiles, item.name, *_state(item)),
            number_text(value),
            *(number_text(item.value(one.name)) for one in further),
            *(_constraints(one, _values(one, item)) for one in (goal,) if one and bounded),
            *(met(item.molecule_id, results.left_out) for _ in asked),
            *(item.batch, _s(item.time_s)),
            *(results.stage(item).level, results.stage(item).fidelity, _flags(item)),
            *kept_cells(results.library, item.molecule_id, kept),
        )
        for item, value in sorted(with_values, key=lambda pair: pair[0].proposal)
        if value is not None
    ]
    write_table(path, own, kept.values(), [*known, *simulated])


def write_best_molecules(
    results: Found, molecule_of: Callable[[int], Molecule], path: Path
) -> None:
    """Write the five best predicted of each ranking, with their values where simulated.

    Each with the standard deviation of its prediction. What the library knows is not predicted.
    """
    level, goal = results.protocol.outcome_level, results.goal
    quantities = (results.objective.quantity,) if goal is None else goal.quantities
    columns = [name for one in quantities for name in _predicted_columns(one)]
    own = ("smiles", "name", *columns, "batch", "time_s", "level", "flags")
    kept = kept_columns(results.library, own)
    items = {item.molecule_id: item for item in results.successes}
    flags = {item.molecule_id: _flags(item) for item in results.successes}
    rows = [
        (
            *(molecule.smiles, molecule.name),
            *_predicted_cells(quantities, ranking, place, items.get(molecule.id)),
            *(ranking.batch, _s(ranking.time_s), level, flags.get(molecule.id, "")),
            *kept_cells(results.library, molecule.id, kept),
        )
        for ranking in results.rankings
        for place, molecule in zip(
            range(len(ranking.means)),
            map(molecule_of, ranking.molecule_ids[:N_BEST_PREDICTED]),
            strict=False,
        )
    ]
    write_table(path, own, kept.values(), rows)


def _predicted_columns(quantity: Quantity) -> tuple[str, ...]:
    column = quantity.column
    if quantity.descriptor:
        return (column,)
    return (f"predicted_{column}", f"predicted_{column}_std", column)


def _predicted_cells(
    quantities: Sequence[Quantity], ranking: TimedRanking, place: int, item: Simulated | None
) -> Iterator[str]:
    """Return prediction, deviation and value of each quantity, for a molecule of a ranking."""
    means, stds = (ranking.means, *ranking.more_means), (ranking.stds, *ranking.more_stds)
    for one, mean, std in zip(quantities, means, stds, strict=True):
        if one.descriptor:
            yield number_text(mean[place])
        else:
            yield from map(number_text, (mean[place], std[place]))
            yield number_text(None if item is None else item.value(one.name))


def _values(goal: Goal, item: Simulated) -> Values:
    return goal.values(item.outcome.named if isinstance(item.outcome, Success) else {})


def _constraints(goal: Goal, values: Values) -> str:
    """Say which constraints a molecule of these values breaks or nobody knows of, or kept."""
    failing: dict[str, list[str]] = {"broken": [], "unknown": []}
    for one in goal.broken(values):
        is_known = values[goal.place(one.quantity)] is not None
        failing["broken" if is_known else "unknown"].append(one.words)
    told = [f"{what}: {'; '.join(words)}" for what, words in failing.items() if words]
    return "; ".join(told) or "kept"


def write_table(
    path: Path, own: Sequence[str], kept: Collection[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a table of columns of our own, the first one of SMILES, and of the user's own."""

    def write(unfinished: Path) -> None:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(map(sheet_cell, (*own, *kept)))
            cleaned = (csv_cell, *[sheet_cell] * (len(own) - 1), *[sheet_lines] * len(kept))
            for row in rows:
                cells = zip(cleaned, map(str, row), strict=True)
                writer.writerow([clean(text) for clean, text in cells])

    write_whole(path, write)


def _name(library: Labels | None, molecule_id: int | None) -> str:
    return "" if library is None or molecule_id is None else library.name(molecule_id)


def _state(item: Simulated) -> tuple[int | str, int | str]:
    """Return charge and unpaired electrons of the molecule itself, where that is known."""
    state = item.outcome.molecule if isinstance(item.outcome, Success) else None
    return ("", "") if state is None else (state.charge, state.n_unpaired)


def _flags(item: Simulated) -> str:
    return " ".join(item.flags)


def number_text(value: float | None) -> str:
    """Return a number in full; nothing where there is none."""
    return "" if value is None else repr(float(value))  # reads back as the same number


def _s(seconds: float) -> str:
    return f"{seconds:.3f}"

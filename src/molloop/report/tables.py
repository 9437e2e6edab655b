"""The tables of a run directory."""

import csv
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from molloop.campaign.jobs import Simulated
from molloop.files import write_whole
from molloop.molecule import Labels, Molecule
from molloop.report.found import Found
from molloop.report.kept import kept_cells, kept_columns
from molloop.simulate.outcome import Success
from molloop.texts import csv_cell, sheet_cell, sheet_lines

N_BEST_PREDICTED = 5
MADE_BY = ("batch", "time_s", "level", "fidelity", "flags")


def write_training_data(results: Found, path: Path) -> None:
    """Write every value that a model may learn from, with its level, fidelity and flags.

    Values known beforehand come first, without charge, batch and time.
    """
    further = results.protocol.further
    columns = (one.column for one in (results.objective.quantity, *further))
    own = (*("smiles", "name", "charge", "n_unpaired"), *columns, *MADE_BY)
    kept = kept_columns(results.library, own)
    first, quantity = (results.protocols or (results.protocol,))[0], results.objective.quantity
    level, fidelity = first.outcome_level, first.outcome_fidelity
    # of all stages, where there are several
    items = results.simulated if results.protocols else results.successes
    with_values = [(item, item.value(quantity.name)) for item in items]
    known = [
        (
            *(item.smiles, _name(results.library, item.molecule_id) or item.name, "", ""),
            *(number_text(item.value), *("" for _ in further), "", ""),
            *(item.level or level, "" if item.level else fidelity, ""),
            *kept_cells(results.library, item.molecule_id, kept),
        )
        for item in results.known
    ]
    simulated = [
        (
            *(item.smiles, item.name, *_state(item)),
            number_text(value),
            *(number_text(item.value(one.name)) for one in further),
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

    Each with the standard deviation of its prediction.
    """
    column, level = results.objective.quantity.column, results.protocol.outcome_level
    predicted = (f"predicted_{column}", f"predicted_{column}_std")
    own = ("smiles", "name", *predicted, column, "batch", "time_s", "level", "flags")
    kept = kept_columns(results.library, own)
    values = results.values
    flags = {item.molecule_id: _flags(item) for item in results.successes}
    rows = [
        (
            *(molecule.smiles, molecule.name, number_text(mean), number_text(std)),
            number_text(values[molecule.id]) if molecule.id in values else "",
            *(ranking.batch, _s(ranking.time_s), level, flags.get(molecule.id, "")),
            *kept_cells(results.library, molecule.id, kept),
        )
        for ranking in results.rankings
        for molecule, mean, std in zip(
            map(molecule_of, ranking.molecule_ids[:N_BEST_PREDICTED]),
            ranking.means,
            ranking.stds,
            strict=False,
        )
    ]
    write_table(path, own, kept.values(), rows)


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
    return " ".join(item.outcome.flags) if isinstance(item.outcome, Success) else ""


def number_text(value: float | None) -> str:
    """Return a number in full; nothing where there is none."""
    return "" if value is None else repr(float(value))  # reads back as the same number


def _s(seconds: float) -> str:
    return f"{seconds:.3f}"

"""The tables of a run directory."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from molloop.files import write_whole
from molloop.results import Results
from molloop.simulate.outcome import Success
from molloop.texts import csv_cell

N_BEST_PREDICTED = 5


def write_training_data(results: Results, path: Path) -> None:
    """Write every value that a model may learn from, with its level, fidelity and flags.

    Values known beforehand come first, without batch and time.
    """
    level, fidelity = results.protocol.outcome_level, results.protocol.outcome_fidelity
    known = [
        (item.smiles, _number(item.value), "", "", level, fidelity, "") for item in results.known
    ]
    simulated = [
        (
            item.smiles,
            _number(results.values[item.molecule_id]),
            item.batch,
            _s(item.time_s),
            results.stage(item).level,
            results.stage(item).fidelity,
            " ".join(item.outcome.flags) if isinstance(item.outcome, Success) else "",
        )
        for item in sorted(results.successes, key=lambda item: item.proposal)
    ]
    header = (
        "smiles",
        results.objective.quantity.column,
        "batch",
        "time_s",
        "level",
        "fidelity",
        "flags",
    )
    _write(path, header, [*known, *simulated])


def write_best_molecules(results: Results, smiles_of: Callable[[int], str], path: Path) -> None:
    """Write the five best predicted of each ranking, with their values where simulated."""
    column, level = results.objective.quantity.column, results.protocol.outcome_level
    values = results.values
    rows = [
        (
            smiles_of(molecule_id),
            _number(mean),
            _number(values[molecule_id]) if molecule_id in values else "",
            ranking.batch,
            _s(ranking.time_s),
            level,
        )
        for ranking in results.rankings
        for molecule_id, mean in list(zip(ranking.molecule_ids, ranking.means, strict=False))[
            :N_BEST_PREDICTED
        ]
    ]
    _write(path, ("smiles", f"predicted_{column}", column, "batch", "time_s", "level"), rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    def write(unfinished: Path) -> None:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(
                [csv_cell(one) if isinstance(one, str) else one for one in row] for row in rows
            )

    write_whole(path, write)


def _number(value: float) -> str:
    return repr(float(value))  # reads back as the same number


def _s(seconds: float) -> str:
    return f"{seconds:.3f}"

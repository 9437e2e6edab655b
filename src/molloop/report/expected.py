"""What a run of several stages knows or expects of the last value of every molecule."""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from molloop.campaign.promotions import Promotions
from molloop.library.selection import Selection
from molloop.library.shards import Library
from molloop.report.found import Found
from molloop.report.stage_columns import expected_columns, value_columns
from molloop.report.stages import INTERVAL_STDS
from molloop.report.tables import number_text, write_table
from molloop.search.policy import Policy

F = TypeVar("F", bound=Found)


def with_expected(results: F, library: Library, policy: Policy, seed: int) -> F:
    """Return results of several stages that also say what is expected of the last values.

    Of every molecule with a value in any stage; those are left out that are never among the best:
    for a flag, as they lack a quantity of the goal, or do not meet the conditions.
    """
    if not results.protocols:
        return results
    stages = tuple(one.stage for one in results.protocols)
    of = policy, results.objective, stages, Selection.of_all(library), seed, results.goal
    known = Promotions(library, *of)
    known.know(results.known)
    known.learn(event for _, event in results.events)
    expected = {
        one.molecule_id: one for one in known.expected() if one.molecule_id not in results.left_out
    }
    return replace(results, expected=expected)


def write_expected(results: Found, library: Library, path: Path) -> None:
    """Write a row a molecule: the values of all stages, and the last one as it is expected.

    A value that is known is its own expectation, and its interval has no width.
    """
    quantity = results.objective.quantity
    mean, std = expected_columns(quantity)
    own = (
        *("rank", "smiles", "name", *value_columns(quantity, results.protocols)),
        *(mean, f"{mean}_low", f"{mean}_high", std, "known_in"),
    )
    rows = []
    for rank, one in enumerate(results.expected.values(), start=1):
        half = INTERVAL_STDS * one.std
        numbers = (*one.values, one.mean, one.mean - half, one.mean + half, one.std)
        molecule = library.molecule(one.molecule_id)
        cells = map(number_text, numbers)
        rows.append((rank, molecule.smiles, molecule.name, *cells, one.stage))
    write_table(path, own, (), rows)

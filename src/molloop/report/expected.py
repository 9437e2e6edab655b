"""What a run of several stages knows or expects of the last value of every molecule."""

from collections.abc import Sequence
from pathlib import Path

from molloop.campaign.promotions import Expected, Promotions
from molloop.goal import slug
from molloop.library.selection import Selection
from molloop.library.shards import Library
from molloop.report.found import Found
from molloop.report.tables import number_text, write_table
from molloop.search.policy import Policy

WIDTH = 1.96  # of a 95% interval of a normal distribution, in standard deviations


def expectations(results: Found, library: Library, policy: Policy, seed: int) -> list[Expected]:
    """Return what is known or expected of the last value, the best first.

    Of every molecule with a value in any stage; values that are never among the best for their flag
    are left out.
    """
    stages = tuple(one.stage for one in results.protocols)
    known = Promotions(library, policy, results.objective, stages, Selection.of_all(library), seed)
    known.know(results.known)
    known.learn(event for _, event in results.events)
    return known.expected()


def write_expected(results: Found, found: Sequence[Expected], library: Library, path: Path) -> None:
    """Write a row a molecule: the values of all stages, and the last one as it is expected.

    A value that is known is its own expectation, and its interval has no width.
    """
    column = results.objective.quantity.column
    names = [f"{column}_{slug(one.stage)}" for one in results.protocols]
    own = (
        *("rank", "smiles", "name", *names),
        *(f"expected_{column}", f"expected_{column}_low", f"expected_{column}_high"),
        "known_in",
    )
    rows = []
    for rank, one in enumerate(found, start=1):
        width = WIDTH * one.std
        numbers = (*one.values, one.mean, one.mean - width, one.mean + width)
        cells = (number_text(None if value is None else value) for value in numbers)
        molecule = library.molecule(one.molecule_id)
        rows.append((rank, molecule.smiles, molecule.name, *cells, one.stage))
    write_table(path, own, (), rows)

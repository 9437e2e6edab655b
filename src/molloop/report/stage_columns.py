"""Columns of tables that a run of several stages has beside others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from molloop.campaign.jobs import Simulated
from molloop.goal import Quantity, slug
from molloop.simulate.protocol import SimulationProtocol

if TYPE_CHECKING:
    from molloop.campaign.promotions import Expected


def value_columns(quantity: Quantity, protocols: Sequence[SimulationProtocol]) -> tuple[str, ...]:
    """Return names of the columns of each stage's values, such as ``ie_ev_gfn2``."""
    return tuple(f"{quantity.column}_{slug(one.stage)}" for one in protocols)


def expected_columns(quantity: Quantity) -> tuple[str, str]:
    """Return names of the columns of the expected last value and its standard deviation."""
    mean = f"expected_{quantity.column}"
    return mean, f"{mean}_std"


def numbers_of_stages(
    quantity: Quantity,
    protocols: Sequence[SimulationProtocol],
    simulated: Iterable[Simulated],
    expected: Mapping[int, "Expected"],
) -> dict[str, dict[int, float]]:
    """Return column -> molecule id -> number; nothing where there is one stage.

    Each stage's value; where it is known what is expected of the last one, that too.
    """
    if not protocols:
        return {}
    columns: dict[str, dict[int, float]] = {one: {} for one in value_columns(quantity, protocols)}
    of = dict(zip((one.stage for one in protocols), columns.values(), strict=True))
    for item in simulated:
        if (value := item.value(quantity.name)) is not None:
            of[item.stage][item.molecule_id] = value
    if expected:
        mean, std = expected_columns(quantity)
        columns[mean] = {key: one.mean for key, one in expected.items()}
        columns[std] = {key: one.std for key, one in expected.items()}
    return columns

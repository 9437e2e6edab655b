"""`molloop quantities`."""

from molloop.cli.screen import say
from molloop.goal import Direction
from molloop.simulate.recipes import POINTS, RECIPES


def quantities() -> None:
    """List the quantities that can be computed: unit, calculations, cost, and what each is worth.

    The cost is processor time beside that of ie, as benchmarks/quantities.py measures it.
    """
    for name, recipe in RECIPES.items():
        points = "; ".join(POINTS[point].meaning for point in recipe.points)
        say(
            f"{name} ({recipe.quantity.unit}): {recipe.quantity.title}",
            f"  calculations: {points}",
            f"  cost: {recipe.cost:g} times that of ie; searched for: "
            f"{'large' if recipe.direction is Direction.MAXIMISE else 'small'} values",
            f"  worth: {recipe.worth}",
        )

"""Which flags of an outcome cast doubt on which of its values."""

from collections.abc import Iterable

from molloop.simulate.outcome import OWN
from molloop.simulate.recipes import POINTS, RECIPES, flag_of

# flag -> the calculations that it is of; one that is not named here is of every value
_FLAGS: dict[str, tuple[str, ...]] = {
    "anion_not_bound": ("anion",),
    "relaxed_anion_not_bound": ("anion_relaxed",),
    **{
        f"{state}_{what}": (f"{state}_relaxed",)
        for state in ("cation", "anion")
        for what in ("ends_differ", "not_converged", "rearranged", "above_vertical")
    },
    **{
        flag_of(point, doubt): (point,)
        for point in POINTS
        for doubt in ("unstable", "spin_contaminated", "spin_doubtful")
        if point != OWN
    },
    **{f"no_{name}": () for name in RECIPES},
}


def doubts(flags: Iterable[str], quantity: str) -> tuple[str, ...]:
    """Return the flags that cast doubt on the value of a quantity.

    A flag of an ion that the recipe does not need casts none. Of a quantity without a recipe every
    flag does.

    Parameters
    ----------
    quantity
        A key of :data:`molloop.simulate.recipes.RECIPES` where one of these recipes gives it; empty
        where a user's own simulator does.
    """
    recipe = RECIPES.get(quantity)
    if recipe is None:
        return tuple(flags)
    return tuple(
        flag
        for flag in flags
        if flag not in _FLAGS or not set(_FLAGS[flag]).isdisjoint(recipe.points)
    )

"""What does not know goals of more than one objective yet, and what constraints ask beforehand."""

from collections.abc import Iterator

from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.library.conditions_on_columns import Bound, Condition
from molloop.library.conditions_on_structures import SyntheticAccessibility
from molloop.library.known_names import ACCESSIBILITY


def refuse_goal(settings: Settings, command: str) -> None:
    """Raise InputError where there are several objectives or constraints.

    Parameters
    ----------
    command
        What takes one objective alone.
    """
    if settings.goal().is_plain:
        return
    n, n_bounds = len(settings.goal().objectives), len(settings.constraints)
    raise InputError(
        "objectives, constraints",
        f"{n} and {n_bounds}",
        f"one objective and no constraint: `molloop {command}` knows no other goal",
        "`molloop run` and `molloop replay` do.",
    )


def known_conditions(settings: Settings) -> Iterator[Condition]:
    """Return what constraints ask of what the library knows: no other molecule is chosen."""
    for one in settings.goal().constraints:
        name, title = one.quantity.name, one.quantity.title
        descriptor = one.quantity.descriptor
        for side, limit in (("low", one.low), ("high", one.high)):
            if not descriptor or limit is None:
                continue
            if descriptor == ACCESSIBILITY:
                yield SyntheticAccessibility(limit, is_least=side == "low")
            else:
                setting = f"constraints, {name}, {side}"
                yield Bound(setting, title, descriptor, float(limit), is_least=side == "low")

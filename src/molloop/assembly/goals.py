"""What constraints ask of molecules before anything is predicted."""

from collections.abc import Iterator

from molloop.config.settings import Settings
from molloop.library.conditions_on_columns import Bound, Condition
from molloop.library.conditions_on_structures import SyntheticAccessibility
from molloop.library.known_names import ACCESSIBILITY


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

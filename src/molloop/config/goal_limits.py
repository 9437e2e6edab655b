"""What does not go together with a goal of more than one quantity."""

from itertools import pairwise
from typing import TYPE_CHECKING

from molloop.errors import InputError
from molloop.simulate.simulators import IONIZATION

if TYPE_CHECKING:
    from molloop.config.settings import Settings


def check_goal(settings: "Settings") -> None:
    """Raise InputError where objectives or constraints are wrong, or something beside them is."""
    goal = settings.goal()
    if settings.property.simulator == IONIZATION:
        for name in goal.recipes:
            settings.simulation.require_options_for(name)
    if goal.is_plain:
        return
    for place, (stage, (below, count)) in enumerate(
        zip(settings.stages[1:], pairwise(settings.max_counts()), strict=False), start=2
    ):
        if stage.share is None and (below is None or count is None):
            raise InputError(
                f"stages.{place}.share",
                "nothing, and no count of this stage and of the one below",
                "a share, where there are several objectives or constraints",
                "What a stage is expected to gain is not known then: say what it may spend.",
            )
    if not goal.has_front:
        return
    stopping = settings.stopping
    if stopping.min_gain is not None:
        raise InputError(
            "stopping.min_gain",
            stopping.min_gain,
            "it left out beside several objectives",
            "stopping.patience counts simulations that brought nothing to the front.",
        )
    if "top_k" in stopping.model_fields_set:
        raise InputError(
            "stopping.top_k",
            stopping.top_k,
            "it left out beside several objectives",
            "stopping.patience looks at the front then, however many molecules it has.",
        )

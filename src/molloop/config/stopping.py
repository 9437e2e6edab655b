"""The section `stopping`."""

from pydantic import Field

from molloop.config.section import Section


class StoppingSettings(Section):
    """What ends a run before it has all its values."""

    time_limit_s: float | None = Field(
        None,
        gt=0,
        description="So long after its beginning, pauses left out; what is being simulated then "
        "has campaign.grace_s. It may stand alone, without campaign.max_training_count. Left out: "
        "no limit.",
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="So many simulations in a row that brought none of the best top_k values, or "
        "with several objectives nothing to the Pareto front, once a model has chosen them. Left "
        "out: no limit.",
    )
    top_k: int = Field(10, ge=1, description="How many of the best values patience looks at.")
    min_gain: float | None = Field(
        None,
        gt=0,
        description="The model expects to exceed the best value by less than this, in the "
        "property's unit, with each molecule that it proposes. Left out: no limit.",
    )

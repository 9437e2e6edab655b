"""The section `campaign`."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from molloop.config.section import Section, number_as_name
from molloop.schema import among

SCHEDULES = {
    "interleaved": "simulations go on while a model is trained, which then replaces what the one "
    "before proposed",
    "batch": "simulate a batch, wait for all of it, train, rank, repeat; the same molecules on any "
    "number of workers",
}


class CampaignSettings(Section):
    """The loop."""

    schedule: Annotated[str, among(SCHEDULES)] = Field(
        "interleaved",
        description="; ".join(f"{name}: {text}" for name, text in SCHEDULES.items()) + ".",
    )
    initial_training_count: int = Field(
        8,
        ge=1,
        description="Values before the first model. Random molecules are simulated for them; "
        "those of training_data count.",
    )
    max_training_count: int | None = Field(
        24,
        ge=1,
        description="Values to simulate in all; of several [[stages]] in the first one. Left out "
        "beside stopping.time_limit_s: as many as there is time for.",
    )
    batch_size: int = Field(4, ge=1, description="batch: molecules between two trainings.")
    retrain_after: int | None = Field(
        None,
        ge=1,
        description="interleaved: new values after which a model is trained again. Left out: four "
        "or more, so that rankings take about a seventh of the workers' time.",
    )
    seed: int = Field(
        42, ge=0, description="The same seed gives the same molecules and values with batch."
    )
    training_data: str | None = Field(
        None,
        description="A table with a column of SMILES and the columns ie_ev (or the property's), "
        "level and fidelity: values known beforehand, computed as this run's are. They train the "
        "model and are not simulated. Several objectives or constraints: a column of each quantity "
        "that is computed, such as orbital_gap_ev.",
    )
    training_column: str | None = Field(
        None,
        description="The column of the values in training_data, by name or number. Left out: the "
        "property's.",
    )
    training_smiles_column: str | None = Field(
        None,
        description="The column of the molecules in training_data, by name or number. Left out: "
        "found by its name.",
    )
    training_separator: str | None = Field(
        None,
        description="What stands between two cells of training_data, as library.separator.",
    )
    training_no_header: bool = Field(
        False,
        description="Whether the first line of training_data is a molecule in any case.",
    )
    training_level: str | None = Field(
        None,
        min_length=1,
        description="The level of values in training_data whose rows do not say it: this run's, or "
        "another one, such as experiment. Values of another level train the model as they are, "
        "however far they are off, and stand as such in the tables.",
    )
    max_failure_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="The run ends when more than this share of its simulations failed in the same "
        "way, and more than 24 and three for each initial value did; with the schedule interleaved "
        "also more than three for each worker.",
    )
    grace_s: float = Field(
        30.0,
        ge=0,
        description="How long a run that is told to end (Ctrl-C, SIGTERM) waits for what is being "
        "simulated. At the SIGTERM of a scheduler that ends the job around it, 3 s (PBS) or 4 s "
        "(Slurm) at most.",
    )

    @field_validator("training_column", "training_smiles_column", mode="before")
    @classmethod
    def _number_as_name(cls, value: object) -> object:
        return number_as_name(value)

    @model_validator(mode="after")
    def _initial_below_max(self) -> Self:
        most = self.max_training_count
        if most is not None and self.initial_training_count >= most:
            raise ValueError(
                f"expected initial_training_count ({self.initial_training_count}) below "
                f"max_training_count ({most})"
            )
        return self

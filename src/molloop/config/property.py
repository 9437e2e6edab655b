"""The section `property`."""

from typing import Annotated, Self

from pydantic import Field, Strict, model_validator

from molloop.config.section import Section
from molloop.goal import OTHER_COLUMNS, Direction, Quantity
from molloop.simulate.protocol import IONIZATION


class PropertySettings(Section):
    """What is searched for."""

    name: str = Field("IE", min_length=1, description="Its name in tables and figures.")
    unit: str = Field(
        "eV", description="Its unit. The column of tables is name_unit in lower case: ie_ev."
    )
    direction: Annotated[Direction, Strict(False)] = Field(
        Direction.MAXIMISE, description="maximise or minimise."
    )
    threshold: float | None = Field(
        None, description="Values beyond it are counted. Left out: none are."
    )
    simulator: str = Field(
        IONIZATION,
        description="ionization: the vertical ionization energy. Or package.module:function, a "
        "function of a SMILES that returns molloop.simulate.outcome.Success or raises "
        "molloop.SimulationError.",
    )

    @model_validator(mode="after")
    def _ionization_is_in_ev(self) -> Self:
        if self.simulator == IONIZATION and (self.name, self.unit) != ("IE", "eV"):
            raise ValueError(
                "expected the name IE and the unit eV for the simulator ionization, which computes "
                "just that"
            )
        return self

    @model_validator(mode="after")
    def _column_is_its_own(self) -> Self:
        column = Quantity(self.name, self.unit).column
        if not column or column in OTHER_COLUMNS:
            raise ValueError(
                f"expected a name and unit that make a column of tables, not {column!r}, which is "
                "empty or another column; take other words in a-z and 0-9"
            )
        return self

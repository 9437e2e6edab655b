"""The section `property`."""

from typing import Annotated, Self

from pydantic import Field, Strict, ValidationInfo, field_validator, model_validator

from molloop.config.section import STORED, Section
from molloop.goal import OTHER_COLUMNS, Direction, Quantity
from molloop.simulate.simulators import IONIZATION, SIMULATORS, names_one


class PropertySettings(Section):
    """What is searched for."""

    name: str = Field("IE", min_length=1, description="Its name in tables and figures.")
    unit: str = Field(
        "eV", description="Its unit. The column of tables is name_unit in lower case: ie_ev."
    )
    title: str = Field(
        "",
        description="What figures call it. Left empty, a run takes what its simulator says, or the "
        "name.",
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
        "function of a SMILES that returns a number or molloop.Success, or raises "
        "molloop.SimulationError. Or a name that another package has registered.",
    )

    @field_validator("simulator")
    @classmethod
    def _names_a_simulator(cls, value: str, info: ValidationInfo) -> str:
        # earlier versions took others, and who only reads a run calls none
        if not (info.context == STORED or names_one(value)):
            raise ValueError("expected package.module:function, or a name without blanks")
        return value

    @model_validator(mode="after")
    def _simulator_computes_it(self) -> Self:
        simulator = SIMULATORS.get(self.simulator)
        if simulator is not None and not simulator.computes(Quantity(self.name, self.unit)):
            known = (
                f"the name {one.symbol} and the unit {one.unit}" for one in simulator.quantities
            )
            raise ValueError(
                f"expected {' or '.join(known)} for the simulator {self.simulator}, which computes "
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

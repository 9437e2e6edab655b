"""The section `property`."""

from typing import Annotated, Any, Self

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    Strict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from molloop.config.section import STORED, Section
from molloop.goal import OTHER_COLUMNS, Direction, Flagged, Quantity
from molloop.simulate.recipes import RECIPES, recipe_named
from molloop.simulate.simulators import IONIZATION, SIMULATORS, names_one


class PropertySettings(Section):
    """What is searched for."""

    name: str = Field(
        "IE",
        min_length=1,
        description="Its name in tables and figures. Of the simulator ionization one of "
        + ", ".join(RECIPES)
        + ", in any case: unit, title and direction follow from it.",
    )
    unit: str = Field(
        "eV", description="Its unit. The column of tables is name_unit in lower case: ie_ev."
    )
    title: str = Field(
        "",
        description="What figures call it. Left empty, a run takes what its simulator says, or the "
        "name.",
    )
    direction: Annotated[Direction, Strict(False)] = Field(
        Direction.MAXIMISE,
        description="maximise or minimise. Left out: as `molloop quantities` lists it.",
    )
    threshold: float | None = Field(
        None, description="Values beyond it are counted. Left out: none are."
    )
    flagged: Annotated[Flagged, Strict(False)] = Field(
        Flagged.EXCLUDE,
        description="exclude: a value that a flag casts doubt on is stored and learnt from, but is "
        "never among the best. keep: it may be.",
    )
    simulator: str = Field(
        IONIZATION,
        description="ionization: quantities of xTB, by ΔSCF. Or package.module:function, a "
        "function of a SMILES that returns a number or molloop.Success, or raises "
        "molloop.SimulationError. Or a name that another package has registered.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _follows_from_the_name(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Take from the table of quantities what is left out."""
        if not isinstance(values, dict) or values.get("simulator", IONIZATION) != IONIZATION:
            return handler(values)
        name = values.get("name")
        recipe = recipe_named(name) if isinstance(name, str) else None
        if recipe is None:
            return handler(values)
        said = {"unit": recipe.quantity.unit, "direction": recipe.direction}
        left_out = said.keys() - values.keys()
        made = handler({**said, **values, "name": recipe.quantity.symbol})
        made.model_fields_set.difference_update(left_out)  # another name has others
        return made

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
            recipe = recipe_named(self.name)
            if recipe is not None:
                raise ValueError(
                    f"expected the unit {recipe.quantity.unit} for {self.name}, or unit left out"
                )
            raise ValueError(
                f"expected a name among {', '.join(RECIPES)} for the simulator {self.simulator}; "
                "`molloop quantities` explains them"
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

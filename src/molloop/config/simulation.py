"""The section `simulation`."""

from pydantic import Field, field_validator

from molloop.config.section import Section, one_of
from molloop.simulate.levels import FIDELITIES, LEVELS


class SimulationSettings(Section):
    """How a value is computed, and what it may cost."""

    level: str = Field(
        "gfn2",
        description="Level of theory of the ionization energy: "
        + "; ".join(f"{name} ({level.label}: {level.purpose})" for name, level in LEVELS.items())
        + ".",
    )
    fidelity: str = Field(
        "relaxed",
        description="; ".join(f"{name}: {text}" for name, text in FIDELITIES.items()) + ".",
    )
    n_conformers: int = Field(
        1, ge=1, description="Conformers that are embedded; the lowest by the force field is taken."
    )
    max_atoms: int = Field(
        200, ge=1, description="A molecule with more, hydrogens included, is a failure."
    )
    timeout_s: float = Field(600.0, gt=0, description="A molecule that takes longer is a failure.")
    memory_limit_gib: float = Field(
        4.0, gt=0, description="A molecule whose processes take more is a failure."
    )

    @field_validator("level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        return one_of(value, LEVELS)

    @field_validator("fidelity")
    @classmethod
    def _known_fidelity(cls, value: str) -> str:
        return one_of(value, FIDELITIES)

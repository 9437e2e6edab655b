"""The options that simulators read. Light to import: the configuration is made of them."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, Strict, field_validator, model_validator

from molloop.schema import Schema, among
from molloop.simulate.levels import FIDELITIES, LEVELS, START_GEOMETRIES, uses_input
from molloop.simulate.recipes import RECIPES, recipe_named
from molloop.simulate.solvents import ELECTRODES, SOLVENTS, electrode_named, solvent_named


class Options(Schema):
    """Options of a simulator, a field each: nothing unknown, nothing converted."""


class IonizationOptions(Options):
    """Options of the simulator `ionization`."""

    level: Annotated[str, AfterValidator(str.lower), among(LEVELS)] = Field(
        "gfn2",
        description="Option of ionization. Level of theory: "
        + "; ".join(f"{name} ({level.label}: {level.purpose})" for name, level in LEVELS.items())
        + ".",
    )
    fidelity: Annotated[str, among(FIDELITIES)] = Field(
        "relaxed",
        description="Option of ionization. "
        + "; ".join(f"{name}: {text}" for name, text in FIDELITIES.items())
        + ".",
    )
    start_geometry: Annotated[str, among(START_GEOMETRIES)] = Field(
        "embedded",
        description="Option of ionization. Where a relaxation starts. "
        + "; ".join(f"{name}: {text}" for name, text in START_GEOMETRIES.items())
        + ". With input, or with the fidelity input-geometry, a molecule whose file has no "
        "geometry is not chosen.",
    )
    n_conformers: int = Field(
        1,
        ge=1,
        description="Option of ionization. Conformers that are embedded; the lowest by the force "
        "field is taken. With the geometry of a file it must be 1.",
    )
    max_atoms: int = Field(
        200,
        ge=1,
        description="Option of ionization. A molecule with more atoms, hydrogens included, is a "
        "failure.",
    )
    quantities: Annotated[tuple[str, ...], Strict(False)] = Field(
        (),
        description="Option of ionization. Further quantities, by the names that `molloop "
        "quantities` lists: they share calculations, and stand in tables and exports. One that "
        "cannot be computed is left out, with a flag such as no_ea.",
    )
    solvent: str = Field(
        "",
        description="Option of ionization. In which all is computed, by ALPB: "
        + ", ".join(SOLVENTS)
        + ". It answers each charge in full (equilibrium solvation), also where the geometry does "
        "not. Left empty: none. Of the levels gfn2 and gfn1 alone.",
    )
    reference: str = Field(
        "SHE",
        description="Option of ionization. The electrode against which potentials are given: "
        + "; ".join(f"{name} at {zero} V ({why})" for name, (zero, why) in ELECTRODES.items())
        + ".",
    )
    multiplicity: int | None = Field(
        None,
        ge=1,
        description="Option of ionization. Of the molecules, 3 for a triplet. Left out: the column "
        "multiplicity that the library has kept, or else what the SMILES says.",
    )

    @field_validator("quantities")
    @classmethod
    def _known_quantities(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        found = [recipe_named(text) for text in value]
        if None in found:
            raise ValueError(f"expected names among {', '.join(RECIPES)}")
        return tuple(dict.fromkeys(recipe.quantity.name for recipe in found if recipe))

    @field_validator("solvent")
    @classmethod
    def _known_solvent(cls, value: str) -> str:
        try:
            return solvent_named(value) if value else ""
        except KeyError:
            raise ValueError(f"expected one of {', '.join(SOLVENTS)}") from None

    @field_validator("reference")
    @classmethod
    def _known_reference(cls, value: str) -> str:
        try:
            return electrode_named(value)
        except KeyError:
            raise ValueError(f"expected one of {', '.join(ELECTRODES)}") from None

    @model_validator(mode="after")
    def _no_solvent_without_parameters(self) -> Self:
        level = LEVELS[self.level]
        if self.solvent and not level.has_solvents:
            known = ", ".join(name for name, level in LEVELS.items() if level.has_solvents)
            why = (
                "has no parameters of ALPB, and tblite would take those of GFN1-xTB"
                if level.kohn_sham is None
                else "is of DFT, which is computed without a solvent here"
            )
            raise ValueError(f"expected solvent left out, or the level {known}: {self.level} {why}")
        return self

    @model_validator(mode="after")
    def _no_force_field_at_the_input(self) -> Self:
        if not uses_input(self.fidelity, self.start_geometry):
            return self
        if self.fidelity == "mmff-geometry":
            raise ValueError(
                "expected start_geometry = embedded with fidelity = mmff-geometry: the force "
                "field's geometry is found from the SMILES"
            )
        if self.n_conformers > 1:
            raise ValueError(
                "expected n_conformers = 1 where the geometry is that of the molecule's file"
            )
        return self

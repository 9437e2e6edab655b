"""Everything that a user may set: TOML in and out, nothing unknown accepted."""

import difflib
import os
import textwrap
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import tomlkit
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    field_validator,
    model_validator,
)

from molloop.errors import InputError
from molloop.library.sources import BUILT_IN, FORMATS
from molloop.search.policy import POLICIES
from molloop.simulate.levels import FIDELITIES, LEVELS
from molloop.simulate.property import Direction, Property
from molloop.simulate.protocol import IONIZATION, SimulationProtocol

SCHEDULES = {
    "interleaved": "simulations go on while a model is trained, which then replaces what the one "
    "before proposed",
    "batch": "simulate a batch, wait for all of it, train, rank, repeat; the same molecules on any "
    "number of workers",
}
SITES = ("local",)
COMMENT_WIDTH = 90


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def _one_of(value: str, names: Iterable[str]) -> str:
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return value


class LibrarySettings(_Section):
    """The search space."""

    source: str = Field(
        "qm9",
        description="A built-in library (qm9); the folder of one that `molloop library` built; or "
        f"a file of SMILES: {FORMATS}.",
    )
    column: str = Field("smiles", description="The column of a file that is no .smi.")


class PropertySettings(_Section):
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


class SimulationSettings(_Section):
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
        return _one_of(value, LEVELS)

    @field_validator("fidelity")
    @classmethod
    def _known_fidelity(cls, value: str) -> str:
        return _one_of(value, FIDELITIES)


class SearchSettings(_Section):
    """What is chosen."""

    policy: str = Field(
        "published",
        description="; ".join(f"{name}: {policy.summary}" for name, policy in POLICIES.items())
        + ".",
    )

    @field_validator("policy")
    @classmethod
    def _known_policy(cls, value: str) -> str:
        return _one_of(value, POLICIES)


class CampaignSettings(_Section):
    """The loop."""

    schedule: str = Field(
        "interleaved",
        description="; ".join(f"{name}: {text}" for name, text in SCHEDULES.items()) + ".",
    )
    initial_training_count: int = Field(
        8,
        ge=1,
        description="Values before the first model. Random molecules are simulated for them; "
        "those of training_data count.",
    )
    max_training_count: int = Field(24, ge=1, description="Values to simulate in all.")
    batch_size: int = Field(4, ge=1, description="batch: molecules between two trainings.")
    retrain_after: int | None = Field(
        None,
        ge=1,
        description="interleaved: new values after which a model is trained again. Left out: four "
        "or more, so that rankings take about an eighth of the workers' time.",
    )
    seed: int = Field(
        42, ge=0, description="The same seed gives the same molecules and values with batch."
    )
    training_data: str | None = Field(
        None,
        description="A .csv file with the columns smiles and ie_ev (or the property's): values "
        "known beforehand, of the same property and level. They train the model and are not "
        "simulated.",
    )
    max_failure_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="The run ends when more than this share of its simulations, and more than 24, "
        "failed in the same way.",
    )
    grace_s: float = Field(
        30.0,
        ge=0,
        description="How long a run that is told to end (Ctrl-C, SIGTERM) waits for what is being "
        "simulated.",
    )

    @field_validator("schedule")
    @classmethod
    def _known_schedule(cls, value: str) -> str:
        return _one_of(value, SCHEDULES)

    @model_validator(mode="after")
    def _initial_below_max(self) -> Self:
        if self.initial_training_count >= self.max_training_count:
            raise ValueError(
                f"expected initial_training_count ({self.initial_training_count}) below "
                f"max_training_count ({self.max_training_count})"
            )
        return self


class SiteSettings(_Section):
    """Where it runs."""

    name: str = Field("local", description="local: this machine.")
    workers: int | None = Field(
        None, ge=1, description="Processes that simulate, a core each. Left out: all cores."
    )
    worker_start_timeout_s: float = Field(
        60.0, gt=0, description="The run ends with the workers' log if none has started by then."
    )
    group_size: int | None = Field(
        None,
        ge=1,
        description="Molecules of a task. Left out: by the time that simulations take.",
    )

    @field_validator("name")
    @classmethod
    def _known_site(cls, value: str) -> str:
        return _one_of(value, SITES)


class Settings(_Section):
    """A whole configuration."""

    library: LibrarySettings = Field(default=LibrarySettings())
    property: PropertySettings = Field(default=PropertySettings())
    simulation: SimulationSettings = Field(default=SimulationSettings())
    search: SearchSettings = Field(default=SearchSettings())
    campaign: CampaignSettings = Field(default=CampaignSettings())
    site: SiteSettings = Field(default=SiteSettings())

    def protocol(self) -> SimulationProtocol:
        """Return what workers need to know of a simulation."""
        return SimulationProtocol(simulator=self.property.simulator, **self.simulation.model_dump())

    def target(self) -> Property:
        """Return the property that is searched for."""
        chosen = self.property
        is_ie = chosen.simulator == IONIZATION
        level, fidelity = LEVELS[self.simulation.level], self.simulation.fidelity
        label = level.label if fidelity == "relaxed" else f"{level.label}, {fidelity}"
        return Property(
            name=chosen.name,
            unit=chosen.unit,
            direction=chosen.direction,
            title="Vertical ionization energy" if is_ie else chosen.name,
            level_label=label if is_ie else chosen.simulator,
            threshold=chosen.threshold,
        )

    def to_toml(self) -> str:
        """Write it with a comment a setting; a setting without a value stands in a comment."""
        document = tomlkit.document()
        for section_name, section_field in type(self).model_fields.items():
            section = getattr(self, section_name)
            table = tomlkit.table()
            table.comment((section_field.annotation.__doc__ or "").strip())
            for name, field in type(section).model_fields.items():
                for line in textwrap.wrap(field.description or "", COMMENT_WIDTH):
                    table.add(tomlkit.comment(line))
                value = getattr(section, name)
                if value is None:
                    table.add(tomlkit.comment(f"{name} ="))
                else:
                    table.add(name, str(value) if isinstance(value, str) else value)
            table.add(tomlkit.nl())
            document.add(section_name, table)
        return tomlkit.dumps(document).rstrip() + "\n"


def load(
    path: Path | None = None,
    assignments: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read a configuration: a file, then what overrides it.

    Parameters
    ----------
    path
        A TOML file; without one, the defaults. Paths in it are taken from its folder,
        others from the current one.
    assignments
        ``section.key=value``, the value as in TOML; a bare word is a string.
    overrides
        ``{"section.key": value}``; applied last, None is left out.

    Raises
    ------
    InputError
        Something is unknown, of the wrong type or out of bounds.
    """
    values: dict[str, Any] = {} if path is None else _read(path)
    if path is not None:
        _resolve_paths(values, path.absolute().parent)
    given = [(key, value) for key, value in (overrides or {}).items() if value is not None]
    return _build(values, [*map(_parse_assignment, assignments), *given])


def revise(settings: Settings, assignments: Iterable[str]) -> Settings:
    """Return a configuration with what is assigned, as `load` takes it.

    Raises
    ------
    InputError
        Something is unknown, of the wrong type or out of bounds.
    """
    return _build(settings.model_dump(), [*map(_parse_assignment, assignments)])


def _build(values: dict[str, Any], assigned: Iterable[tuple[str, Any]]) -> Settings:
    for key, value in assigned:
        section, _, name = key.partition(".")
        if not name or "." in name:
            raise InputError(
                "--set", key, "section.key=value", "`molloop config` lists all settings."
            )
        if not isinstance(values.setdefault(section, {}), dict):
            raise InputError(section, values[section], "a section", f"Write [{section}] above.")
        values[section][name] = value
    _resolve_paths(values, Path.cwd())
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _input_error(error) from error


def parse(text: str) -> Settings:
    """Read a configuration that `Settings.to_toml` wrote.

    Raises
    ------
    InputError
        Another version wrote it.
    """
    try:
        return Settings.model_validate(tomllib.loads(text))
    except ValidationError as error:
        raise _input_error(error) from error


def differences(before: Settings, after: Settings) -> dict[str, tuple[Any, Any]]:
    """Return the settings that two configurations do not share: section.key -> both values."""
    found = {}
    for section in Settings.model_fields:
        one, other = getattr(before, section), getattr(after, section)
        for name in type(one).model_fields:
            pair = getattr(one, name), getattr(other, name)
            if pair[0] != pair[1]:
                found[f"{section}.{name}"] = pair
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "configuration", str(path), "a TOML file", f"It cannot be read: {error}."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError("configuration", str(path), "TOML", f"Mend it: {error}.") from error
    return values


def _resolve_paths(values: dict[str, Any], folder: Path) -> None:
    """Make paths absolute, so that the run directory's configuration means the same anywhere."""
    for section, name in (("library", "source"), ("campaign", "training_data")):
        table = values.get(section)
        text = table.get(name) if isinstance(table, dict) else None
        if isinstance(text, str) and text not in ("", *BUILT_IN):
            values[section][name] = os.path.normpath(folder / os.path.expanduser(text))  # noqa: PTH111 - it never raises


def _parse_assignment(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        raise InputError("--set", text, "section.key=value", "`molloop config` lists all settings.")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _input_error(error: ValidationError) -> InputError:
    """Turn the first thing that pydantic minds into our words."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return InputError(path, first["input"], "no such setting", _suggest(path))
    expected = first["msg"]
    for prefix in ("Value error, expected ", "Input should be "):
        expected = expected.removeprefix(prefix)
    value = first["input"]
    if isinstance(value, dict):
        value = ", ".join(f"{key} = {item}" for key, item in value.items())
    return InputError(path, value, expected, f"`molloop config` explains it{more}.")


def _suggest(path: str) -> str:
    names = [
        f"{section}.{name}"
        for section, field in Settings.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
    ]
    close = difflib.get_close_matches(path, [*Settings.model_fields, *names], n=1)
    return f"Is {close[0]} meant?" if close else "`molloop config` lists all settings."

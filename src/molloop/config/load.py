"""Configurations: TOML in, a file and what overrides it; nothing unknown accepted."""

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from molloop.config.goal import BESIDE_OBJECTIVES
from molloop.config.plain import toml_values
from molloop.config.section import STORED
from molloop.config.settings import LISTS, SECTIONS, STAGES, Settings, validated
from molloop.config.simulation import ALL_OPTIONS, OWN_OPTIONS, unread_by
from molloop.config.site_file import is_site_file
from molloop.errors import InputError
from molloop.library.choices import BUILT_IN
from molloop.simulate.simulators import IONIZATION
from molloop.texts import counted

# settings that are tables: what is behind their names is a key of them
TABLES = (f"simulation.{OWN_OPTIONS}", "conditions.descriptors")


def load(
    path: str | os.PathLike[str] | None = None,
    assignments: Iterable[str] = (),
    overrides: Mapping[str, Any] | None = None,
    **sections: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> Settings:
    """Return a configuration: a file, and what overrides it, each setting once.

    ``load(library={"source": "mine.smi"}, campaign={"max_training_count": 100})`` is one without a
    file; `molloop config` and ``print(load().to_toml())`` explain every setting.

    Parameters
    ----------
    path
        A TOML file; without one, the defaults. Paths in it are taken from its folder,
        others from the current one.
    sections
        A dict of settings each: ``library``, ``conditions``, ``property``, ``simulation``,
        ``search``, ``campaign``, ``stopping`` or ``site``. ``stages``, ``objectives`` and
        ``constraints`` are lists of such dicts.
    assignments
        ``section.key=value``, the value as in TOML; a bare word is a string.
    overrides
        ``{"section.key": value}``; None is left out.

    Raises
    ------
    InputError
        Something is unknown, of the wrong type, out of bounds, or given twice.
    """
    values: dict[str, Any] = {} if path is None else _read(Path(path))
    if path is not None:
        _resolve_paths(values, Path(path).absolute().parent)
    for section in sections:
        if section not in LISTS:
            values.setdefault(section, {})  # an unknown one is told even if it is empty
    return _build(values, _given(assignments, sections, overrides))


def revise(
    settings: Settings,
    assignments: Iterable[str] = (),
    sections: Mapping[str, Mapping[str, Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Return a configuration with what is given, as `load` takes it; see `override`.

    Raises
    ------
    InputError
        Something is unknown, of the wrong type, out of bounds, or given twice.
    """
    return override(settings, _given(assignments, sections or {}, overrides))


def _given(
    assignments: Iterable[str],
    sections: Mapping[str, Any],
    overrides: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return section.key -> value of all that is given; nothing may be given twice."""
    named = [(key, value) for key, value in (overrides or {}).items() if value is not None]
    found: dict[str, Any] = {}
    for key, value in [*_flat(sections), *map(_parse_assignment, assignments), *named]:
        if key in found:
            raise InputError(
                key,
                f"{found[key]} and {value}",
                "one value",
                "It is given twice, by --set or an option of its own: leave out one of them.",
            )
        found[key] = value
    return found


def named(assignments: Iterable[str]) -> set[str]:
    """Return the settings, ``section.key``, that assignments name."""
    return {key for key, _ in map(_parse_assignment, assignments)}


def _flat(sections: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, values in sections.items():
        if section in LISTS:
            yield section, values
            continue
        if not isinstance(values, Mapping):
            expected = "a dict of settings"
            raise InputError(section, values, expected, f"Write {section}={{key: value}}.")
        for name, value in values.items():
            yield f"{section}.{name}", os.fspath(value) if isinstance(value, os.PathLike) else value


def override(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return a configuration with other values: ``{"section.key": value}``.

    Another `site.name` leaves nothing of the site before, another `property.simulator` no options.

    Raises
    ------
    InputError
        Something is unknown, of the wrong type or out of bounds.
    """
    values = settings.model_dump(exclude_unset=True)
    site = changes.get("site.name", settings.site.name)
    if isinstance(site, str) and is_site_file(site):
        site = _absolute(site, Path.cwd())
    if site != settings.site.name:
        values.pop("site", None)
    before = settings.property.simulator
    if changes.get("property.simulator", before) != before:
        for table in (values.get("simulation", {}), *values.get(STAGES, ())):
            for name in ALL_OPTIONS:
                table.pop(name, None)
    return _build(values, changes)


def _build(values: dict[str, Any], assigned: Mapping[str, Any]) -> Settings:
    # a whole list comes before a setting of one of its tables
    for key, value in sorted(assigned.items(), key=lambda item: item[0] not in LISTS):
        section, _, name = key.partition(".")
        if section in LISTS:
            _set_list(values, key, value)
            continue
        table = next((one for one in TABLES if key.startswith(f"{one}.")), None)
        if not name or ("." in name and table is None):
            raise InputError(
                "--set", key, "section.key=value", "`molloop config` lists all settings."
            )
        if not isinstance(values.setdefault(section, {}), dict):
            raise InputError(section, values[section], "a section", f"Write [{section}] above.")
        if table is not None:
            setting = table.partition(".")[2]
            _set_entry(values[section], setting, key.removeprefix(f"{table}."), value)
        else:
            values[section][name] = value
    _resolve_paths(values, Path.cwd())
    return validated(values)


def _set_list(values: dict[str, Any], key: str, value: object) -> None:
    """Set a list, or by ``stages.NUMBER.KEY`` a setting of a table, which are counted from 1."""
    section, _, rest = key.partition(".")
    if not rest:
        values[section] = value
        return
    number, _, name = rest.partition(".")
    there = values.get(section, ())
    there = list(there) if isinstance(there, list | tuple) else []
    if not (number.isdecimal() and name and 1 <= int(number) <= len(there)):
        one = section.removesuffix("s")
        expected = f"{section}.NUMBER.KEY, with the number of a{_n(one)} {one} from 1; there are "
        expected += counted(len(there), one)
        raise InputError("--set", key, expected, "`molloop config` lists all settings.")
    place = int(number) - 1
    if isinstance(there[place], dict):  # else it is told as wrong
        there[place] = {**there[place], name: value}
    values[section] = there


def _n(word: str) -> str:
    return "n" if word[0] in "aeiou" else ""


def _set_entry(section: dict[str, Any], setting: str, name: str, value: object) -> None:
    table = section.get(setting, {})
    if isinstance(table, dict):  # else it is told as wrong
        section[setting] = {**table, name: value}


def parse(text: str) -> Settings:
    """Read the configuration that a run stored.

    Raises
    ------
    InputError
        Another version wrote it, or it is damaged.
    """
    values = toml_values(text, "stored configuration", "Begin another run.")
    _leave_out_unread(values)
    return validated(values, STORED)


def _leave_out_unread(values: dict[str, Any]) -> None:
    """Leave out options of another simulator, which molloop 0.1 wrote and did not read."""
    chosen, simulation = values.get("property"), values.get("simulation")
    simulator = chosen.get("simulator", IONIZATION) if isinstance(chosen, dict) else IONIZATION
    stages = values.get(STAGES, [])
    for table in (simulation, *(stages if isinstance(stages, list) else [])):
        if isinstance(table, dict):
            for name in unread_by(simulator):
                table.pop(name, None)


def differences(before: Settings, after: Settings) -> dict[str, tuple[Any, Any]]:
    """Return the settings that two configurations do not share: section.key -> both values."""
    found = {}
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in SECTIONS]
    for section in LISTS:
        tables = zip(getattr(before, section), getattr(after, section), strict=False)
        pairs += [(f"{section}.{place}", *pair) for place, pair in enumerate(tables, start=1)]
    for section, one, other in pairs:
        is_said_twice = section == "property" and before.objectives and after.objectives
        for name in BESIDE_OBJECTIVES if is_said_twice else type(one).model_fields:
            pair = getattr(one, name), getattr(other, name)
            if repr(pair[0]) != repr(pair[1]):  # True is no 1
                found[f"{section}.{name}"] = pair
    for section in LISTS:
        n, n_now = len(getattr(before, section)), len(getattr(after, section))
        if n != n_now:
            one = section.removesuffix("s")
            found[section] = (counted(n, one), counted(n_now, one))
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "configuration", str(path), "a TOML file", f"It cannot be read: {error}."
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(
            "configuration", str(path), "TOML", f"Correct the line: {error}."
        ) from error
    return values


def _resolve_paths(values: dict[str, Any], folder: Path) -> None:
    """Make paths absolute, so that the run directory's configuration means the same anywhere."""
    for (section, name), is_path in _PATHS.items():
        table = values.get(section)
        text = table.get(name) if isinstance(table, dict) else None
        if isinstance(text, str) and is_path(text):
            values[section][name] = _absolute(text, folder)


def _is_file(text: str) -> bool:
    return text not in ("", *BUILT_IN)


_PATHS: dict[tuple[str, str], Callable[[str], bool]] = {
    ("library", "source"): _is_file,
    ("campaign", "training_data"): _is_file,
    ("site", "name"): is_site_file,
}


def _absolute(text: str, folder: Path) -> str:
    return os.path.normpath(folder / os.path.expanduser(text))  # noqa: PTH111 - it never raises


def _parse_assignment(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        raise InputError("--set", text, "section.key=value", "`molloop config` lists all settings.")
    try:
        parsed = tomllib.loads(f"value = {value}")
    except (tomllib.TOMLDecodeError, RecursionError):
        parsed = {"value": value.strip()}
    if len(parsed) > 1:
        raise InputError(
            "--set",
            text,
            "one setting",
            "Give each by a --set of its own; `molloop config` lists all.",
        )
    return key.strip(), parsed["value"]

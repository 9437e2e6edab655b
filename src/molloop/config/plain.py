"""Values of settings as TOML holds them and as messages show them, and TOML as it is read."""

import tomllib
from collections.abc import Callable
from typing import Any

import tomlkit

from molloop.config.section import Section
from molloop.errors import InputError


def plain(value: Any) -> Any:
    """Return what a document of TOML holds for the value of a setting."""
    kinds: dict[type, Callable[[Any], Any]] = {str: str, tuple: list, dict: _inline}
    kind = next((one for one in kinds if isinstance(value, one)), None)
    return kinds[kind](value) if kind else value


def setting_text(value: object) -> str:
    """Return the value of a setting for a message, as a user may write it behind ``--set``."""
    if value is None:
        return "not set"
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], int):
        return str(value[0])  # one charge, say, stands for a list of one
    try:
        return str(tomlkit.item(plain(value)).as_string())
    except ValueError:  # of another kind than TOML has
        return str(value)


def _inline(values: dict[str, Any]) -> tomlkit.items.InlineTable:
    table = tomlkit.inline_table()
    for name, value in values.items():
        is_range = isinstance(value, Section)
        table.append(name, _inline(value.model_dump(exclude_none=True)) if is_range else value)
    return table


def toml_values(text: str, what: str, remedy: str) -> dict[str, Any]:
    """Return what a text of TOML holds.

    Parameters
    ----------
    what, remedy
        What an error calls the text, and what to do about one that is no TOML.

    Raises
    ------
    InputError
        It is no TOML.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(what, str(error), "TOML, as molloop writes it", remedy) from error

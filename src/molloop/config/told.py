"""What pydantic minds, in our words."""

import difflib

from pydantic import BaseModel, ValidationError

from molloop.errors import InputError


def input_error(error: ValidationError, whole: type[BaseModel]) -> InputError:
    """Turn the first thing that pydantic minds into our words."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return InputError(path, first["input"], "no such setting", _suggest(path, whole))
    expected = first["msg"]
    for prefix in ("Value error, expected ", "Input should be "):
        expected = expected.removeprefix(prefix)
    value = first["input"]
    if isinstance(value, dict):
        value = ", ".join(f"{key} = {item}" for key, item in value.items())
    return InputError(path, value, expected, f"`molloop config` explains it{more}.")


def _suggest(path: str, whole: type[BaseModel]) -> str:
    names = [
        f"{section}.{name}"
        for section, field in whole.model_fields.items()
        for name in field.annotation.model_fields  # type: ignore[union-attr]
    ]
    close = difflib.get_close_matches(path, [*whole.model_fields, *names], n=1)
    return f"Is {close[0]} meant?" if close else "`molloop config` lists all settings."

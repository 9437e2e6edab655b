"""The directive `configuration`: every setting, from `molloop.Settings` itself."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from docutils import nodes
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from molloop.config.settings import LISTS, SECTIONS, Settings

BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


class Configuration(SphinxDirective):
    """A section of the page for a section of the configuration."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return self.parse_text_to_nodes("\n".join(lines()), allow_section_headings=True)


def lines() -> Iterator[str]:
    """Return all settings as MyST."""
    for section, kind in {**SECTIONS, **LISTS}.items():
        if section in LISTS:
            about = Settings.model_fields[section].description or ""
            yield from (f"(settings-{section})=", f"## [[{section}]]", "", about, "")
            names = LISTS[section].OWN
        else:
            yield from (f"(settings-{section})=", f"## [{section}]", "", kind.__doc__ or "", "")
            names = tuple(kind.model_fields)
        for name in names:
            setting = kind.model_fields[name]
            default = toml(setting.default)
            yield from (f":::{{confval}} {section}.{name}", f":type: {bounded(setting)}")
            yield from (f":default: {default}", "", setting.description or "", ":::", "")


def bounded(setting: FieldInfo) -> str:
    """Return the type of a setting, and its bounds."""
    words = [type_of(setting.annotation)]
    for limit in setting.metadata:
        words += [
            f"{text} {bound:g}"
            for key, text in BOUNDS.items()
            if (bound := getattr(limit, key, None)) is not None
        ]
    return ", ".join(words)


def type_of(annotation: Any) -> str:
    """Return the name of a setting's type, as a configuration has it."""
    kinds = [kind for kind in get_args(annotation) if kind not in (type(None), Ellipsis)]
    origin = get_origin(annotation)
    if origin is Annotated:
        return type_of(kinds[0])
    if origin is tuple:
        return f"list of {type_of(kinds[0])}"
    if origin is dict:
        return "table"
    if kinds:  # a union
        return " | ".join(map(type_of, kinds))
    return str(getattr(annotation, "__name__", annotation))


def toml(value: object) -> str:
    """Return a default as a configuration has it."""
    if value is None:
        return "left out"
    if isinstance(value, tuple):
        value = list(value)
    return f'``"{value}"``' if isinstance(value, str) else f"``{value}``"


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("configuration", Configuration)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

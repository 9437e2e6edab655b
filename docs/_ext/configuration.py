"""The directive `configuration`: every setting, from `molloop.Settings` itself."""

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from molloop.config.settings import Settings

BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


class Configuration(SphinxDirective):
    """A section of the page for a section of the configuration."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return self.parse_text_to_nodes("\n".join(lines()), allow_section_headings=True)


def lines() -> Iterator[str]:
    """Return all settings as MyST."""
    for section, field in Settings.model_fields.items():
        kind: Any = field.annotation
        yield from (f"(settings-{section})=", f"## [{section}]", "", kind.__doc__, "")
        for name, setting in kind.model_fields.items():
            default = toml(setting.default)
            yield from (f":::{{confval}} {section}.{name}", f":type: {bounded(setting)}")
            yield from (f":default: {default}", "", setting.description or "", ":::", "")


def bounded(setting: FieldInfo) -> str:
    """Return the type of a setting, and its bounds."""
    name = str(getattr(setting.annotation, "__name__", setting.annotation))
    words = [name.replace(" | None", "").replace("tuple", "list of str")]
    for limit in setting.metadata:
        words += [
            f"{text} {bound:g}"
            for key, text in BOUNDS.items()
            if (bound := getattr(limit, key, None)) is not None
        ]
    return ", ".join(words)


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

"""A configuration as TOML, with a comment a setting."""

import textwrap
from collections.abc import Collection, Mapping, Sequence

import tomlkit

from molloop.config.plain import plain
from molloop.config.section import Section, TableSettings

COMMENT_WIDTH = 90


def sections_to_toml(sections: Mapping[str, Section], unread: Collection[str]) -> str:
    """Write sections, by their names.

    Parameters
    ----------
    unread
        Settings, ``section.name``, that stand in a comment, as those without a value do.
    """
    document = tomlkit.document()
    for section_name, section in sections.items():
        table = tomlkit.table()
        table.comment((type(section).__doc__ or "").strip())
        for name, field in type(section).model_fields.items():
            for line in textwrap.wrap(field.description or "", COMMENT_WIDTH):
                table.add(tomlkit.comment(line))
            value = getattr(section, name)
            if value is None or f"{section_name}.{name}" in unread:
                table.add(tomlkit.comment(f"{name} ="))
            else:
                table.add(name, plain(value))
        table.add(tomlkit.nl())
        document.add(section_name, table)
    return tomlkit.dumps(document).rstrip() + "\n"


def list_to_toml(
    name: str, about: str, schema: type[TableSettings], tables: Sequence[TableSettings]
) -> str:
    """Write what is set of a list of sections; where there are none, how they are written.

    Parameters
    ----------
    about
        What the list is.
    """
    lines = textwrap.wrap(about, COMMENT_WIDTH)
    for setting in schema.OWN:
        words = f"{setting}: {schema.model_fields[setting].description}"
        lines += textwrap.wrap(words, COMMENT_WIDTH)
    text = "\n" + "".join(f"# {line}\n" for line in lines)
    if not tables:
        return f"{text}# [[{name}]]\n"
    written = tomlkit.aot()
    for one in tables:
        table = tomlkit.table()
        for setting in type(one).model_fields:
            value = getattr(one, setting)
            if setting in one.model_fields_set and value is not None:
                table.add(setting, plain(value))
        written.append(table)
    document = tomlkit.document()
    document.add(name, written)
    return text + tomlkit.dumps(document).rstrip() + "\n"

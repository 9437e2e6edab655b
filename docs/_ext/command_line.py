"""The directive `command-line`: all commands and options, from the command itself."""

from collections.abc import Iterator
from typing import Any

import typer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from molloop.cli import app
from molloop.cli.command import shown_default

INHERITED = ("install_completion", "show_completion")  # of typer, in every program that it makes


class CommandLine(SphinxDirective):
    """A section a command: how it is called, what it does, its arguments and options."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        text = "\n".join(lines(typer.main.get_command(app), "molloop"))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def lines(command: Any, name: str) -> Iterator[str]:
    """Return a command, and those below it, as MyST."""
    options = [one for one in command.params if one.name not in INHERITED]
    arguments = [one for one in options if one.param_type_name == "argument"]
    options = [one for one in options if one not in arguments]
    below = getattr(command, "commands", {})
    if not below:
        words = [argument_name(one) for one in arguments]
        yield from (f"({name.replace(' ', '-')})=", f"## {name}", "")
        usage = [name, *([] if not options else ["[OPTIONS]"]), *words]
        yield from ("```text", " ".join(usage), "```", "")
    yield from (command.help or "", "", f":::{{program}} {name}", ":::", "")
    for one in options:
        yield from (f":::{{option}} {', '.join(one.opts)}{value_name(one)}", described(one), "")
        yield from (":::", "")
    for word, subcommand in below.items():
        yield from lines(subcommand, f"{name} {word}")


def argument_name(argument: Any) -> str:
    """Return what stands for an argument."""
    name = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def value_name(option: Any) -> str:
    """Return what stands for an option's value; nothing for a switch."""
    if option.is_flag:
        return ""
    return f" <{option.metavar or option.name}>"


def described(option: Any) -> str:
    """Return what an option says of itself, with its default."""
    text = option.help or ""
    if option.required:
        text += " Required."
    elif isinstance(default := shown_default(option), str):
        text += f" Default: {default}."
    elif option.show_default and not option.is_flag and option.default is not None:
        text += f" Default: `{option.default}`."
    return text.strip()


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

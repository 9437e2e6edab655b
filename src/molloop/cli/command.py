"""Commands whose options are given once, and that have the memory they need."""

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from molloop import limits
from molloop.errors import InputError

# address space in MiB, measured with one thread of linear algebra, and how many libraries of it
# are loaded: NumPy's, and SciPy's
RUNNING = 1360, 2
NEEDS = {
    "config": (0, 0),
    "sites": (0, 0),
    "status": (290, 1),
    "watch": (420, 1),
    "report": (420, 1),
    "simulate": (480, 2),
    "export": (600, 2),
    "library": (780, 2),
    "suggest": (780, 2),
}


class DefaultOf(str):
    """A setting whose default help shows for an option, such as ``campaign.seed``.

    It is looked up where help is shown, so that no other command waits for the configuration.
    """


def shown_default(option: Any) -> Any:
    """Return what help shows as the default of an option."""
    shown = option.show_default
    if not isinstance(shown, DefaultOf):
        return shown
    from molloop.config.settings import SECTIONS

    section, _, name = shown.partition(".")
    return str(SECTIONS[section].model_fields[name].default)


class Command(TyperCommand):
    """A command that refuses a second value of an option that takes one.

    Without it the last one would win in silence. A flag says the same twice; options that may be
    repeated say so in their help. Its memory is asked for when it runs: help needs next to none.
    """

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show help, with the defaults of settings."""
        for option in self.params:
            if isinstance(option, TyperOption):
                option.show_default = shown_default(option)
        super().format_help(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a command line.

        Raises
        ------
        InputError
            An option that takes one value has several.
        """
        if not ctx.resilient_parsing:  # completion is asked while a line is written
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for option, n in Counter(order).items():
                takes_one = isinstance(option, TyperOption) and not (
                    option.multiple or option.is_flag or option.count
                )
                if takes_one and n > 1:
                    name = max(option.opts, key=len)
                    raise InputError(name, f"{n} values", "one", "Leave out the others.")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises
        ------
        RunError
            This process may map less memory than the command needs.
        """
        path = ctx.command_path
        name = path.split()[1]
        limits.require_address_space(f"`{path}`", *NEEDS.get(name, RUNNING))
        return super().invoke(ctx)

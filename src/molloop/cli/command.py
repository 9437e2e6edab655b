"""Commands whose options are given once."""

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from molloop.errors import InputError


class Command(TyperCommand):
    """A command that refuses a second value of an option that takes one.

    Without it the last one would win in silence. A flag says the same twice; options that may be
    repeated say so in their help.
    """

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

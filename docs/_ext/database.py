"""The directive `database-table`: a table of the run's database, from its schema itself.

Its content describes the columns, `name: text` a line. A column that is missing there, or is none,
is an error.
"""

import sqlite3
from contextlib import closing
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from molloop.store.schema import SCHEMA


class DatabaseTable(SphinxDirective):
    """Column, type and meaning."""

    required_arguments = 1
    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        [name] = self.arguments
        told = dict(line.split(": ", 1) for line in self.content if line.strip())
        types = columns(name)
        if list(told) != list(types):
            raise self.error(f"{name} has the columns {list(types)}, described are {list(told)}")
        rows = [f"| `{one}` | {types[one]} | {text} |" for one, text in told.items()]
        return self.parse_text_to_nodes("\n".join(["| column | type | |", "|---|---|---|", *rows]))


def columns(table: str) -> dict[str, str]:
    """Return the columns of a table: name -> type."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        rows = database.execute('SELECT name, type, "notnull" FROM pragma_table_info(?)', (table,))
        return {name: kind if given else f"{kind} or NULL" for name, kind, given in rows}


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("database-table", DatabaseTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

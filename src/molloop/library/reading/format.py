"""How a file of molecules is understood, as a value."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["text", "sdf", "parquet"]
TextKind = Literal["smiles", "inchi", "molblock"]

AS_ASKED = "as asked"  # how a column was found that the user names
_KINDS = {"smiles": "SMILES", "inchi": "InChI", "molblock": "molfiles"}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", " ": "blanks"}


class Entry(NamedTuple):
    """What a line, a row or a record holds.

    Attributes
    ----------
    line
        Where it stands: its last line, from 1; the first one of a record of an SDF; the row of a
        .parquet.
    text
        Of the molecule.
    name
        What the file calls it; empty where it says nothing.
    kept
        Cells of the columns that are kept.
    fault
        Why there is no molecule, where that is not for what stands there.
    """

    line: int
    text: str
    name: str = ""
    kept: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is read.

    Attributes
    ----------
    kind
        Text of lines or tables, an SDF, or Parquet.
    text_kind
        Of what stands for a molecule.
    columns
        Names; numbers where the file has none. Of an SDF, its data items.
    column
        Place of the texts among them; None: of an SDF.
    found
        How that was found.
    name
        Place of the names; None: what stands behind a SMILES, the title of a molfile.
    kept
        Places of the columns that are kept.
    separator
        Of cells; a blank stands for blanks and tabs.
    has_header
        Whether the first line holds names.
    n_before
        Lines before the first one: comments.
    is_windows_1252
        Whether its first lines are no UTF-8.
    compression
        Empty where there is none.
    first
        Cells of the first line.
    """

    kind: Kind
    text_kind: TextKind
    columns: tuple[str, ...]
    column: int | None
    found: str = ""
    name: int | None = None
    kept: tuple[int, ...] = ()
    separator: str = ""
    has_header: bool = False
    n_before: int = 0
    is_windows_1252: bool = False
    compression: str = ""
    first: tuple[str, ...] = field(default=(), compare=False)

    @property
    def places(self) -> str:
        """What decides which cells are read: of the same file, others make another library."""
        found = (self.text_kind, self.column, self.name, self.kept, self.separator)
        return repr((*found, self.has_header, self.n_before))

    def __str__(self) -> str:
        """Say it in one line."""
        parts = [self._texts(), self._names()]
        if self.kept:
            parts.append(f"kept: {', '.join(map(self._column, self.kept))}")
        parts.append(self._layout())
        if self.n_before:
            n = "line" if self.n_before == 1 else f"{self.n_before:,} lines"
            parts.append(f"its first {n} left out")
        if self.is_windows_1252:
            parts.append("not UTF-8, read as Windows-1252")
        if self.compression:
            parts.append(self.compression)
        return "; ".join(parts)

    def _texts(self) -> str:
        kind = _KINDS[self.text_kind]
        if self.column is None:
            return kind
        return f"{kind} in {self._column(self.column)}, {self.found}"

    def _names(self) -> str:
        if self.name is not None:
            return f"names in {self._column(self.name)}"
        return "names are the titles" if self.column is None else "names behind them, if any"

    def _layout(self) -> str:
        if self.kind == "sdf":
            return "an SDF"
        if self.kind == "parquet":
            return "Parquet"
        parted = _SEPARATORS.get(self.separator, repr(self.separator))
        header = "with a header" if self.has_header else "without a header"
        if len(self.columns) == 1:
            return f"one column, {header}"
        return f"parted by {parted}, {header}"

    def _column(self, place: int) -> str:
        name = self.columns[place]
        is_named = self.has_header or self.kind != "text"
        return f"{name[:60]!r}" if is_named else f"column {name}"

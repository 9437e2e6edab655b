"""What a library left out, by reason: rejects.csv, read again."""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from molloop.texts import sheet_text

FIRST_LINES = 3
MAX_REASONS = 12  # more are told together
OTHERS = "other reasons"
_ONE = re.compile(r"\b1 ([a-z ]+),")  # as in "1 heavy atom, fewer than 5"
_NUMBER = re.compile(r"\d[\d,]*")


@dataclass(eq=False)
class Rejected:
    """The lines of one reason.

    Attributes
    ----------
    reason
        Of the first one.
    is_alike
        Whether the others have the same numbers in it.
    first
        File and line, name and text of the first ones.
    """

    reason: str
    n: int = 0
    is_alike: bool = True
    first: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        """How many there are, and why."""
        return f"{self.n:,}: {self.reason}" + ("" if self.is_alike else ", or with other numbers")


def rejected_by_reason(path: Path) -> list[Rejected]:
    """Return what was left out by reason, most first; of an older library nothing.

    Reasons are the same but for numbers and what follows a colon.
    """
    found: dict[str, Rejected] = {}
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            reason = sheet_text(row.get("reason") or "")
            reason = reason.partition(":")[0]
            group = _NUMBER.sub("0", _ONE.sub(r"0 \1s,", reason))
            if group not in found and len(found) >= MAX_REASONS:
                group = reason = OTHERS
            one = found.setdefault(group, Rejected(reason))
            one.n += 1
            one.is_alike = one.is_alike and reason == one.reason
            if len(one.first) < FIRST_LINES:
                one.first.append(_line(row))
    return sorted(found.values(), key=lambda one: (one.reason == OTHERS, -one.n))


def _line(row: dict[str, str]) -> str:
    texts = (sheet_text(row.get(key) or "") for key in ("name", "text"))
    shown = " ".join(text for text in texts if text)
    return f"{row['file']}, line {row['line']}: {shown:.60}".rstrip(": ")

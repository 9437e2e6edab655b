"""What a library left out, by reason: rejects.csv, read again."""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from molloop.texts import sheet_text

FIRST_LINES = 3
MAX_REASONS = 12  # more are told together
OTHERS = "other reasons"
_NUMBER = re.compile(r"\d[\d,]*")


@dataclass(eq=False)
class Rejected:
    """The lines of one reason.

    Attributes
    ----------
    first
        File and line, name and text of the first ones.
    """

    n: int = 0
    first: list[str] = field(default_factory=list)


def rejected_by_reason(path: Path) -> dict[str, Rejected]:
    """Return what was left out by reason, most first; of an older library nothing.

    Reasons are the same but for numbers and what follows a colon.
    """
    found: dict[str, Rejected] = {}
    if not path.is_file():
        return found
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            reason = sheet_text(row.get("reason") or "")
            group = _NUMBER.sub("N", reason.partition(":")[0])
            if group not in found and len(found) == MAX_REASONS:
                group = OTHERS
            one = found.setdefault(group, Rejected())
            one.n += 1
            if len(one.first) < FIRST_LINES:
                one.first.append(_line(row))
    return dict(sorted(found.items(), key=lambda item: (item[0] == OTHERS, -item[1].n)))


def _line(row: dict[str, str]) -> str:
    texts = (sheet_text(row.get(key) or "") for key in ("name", "text"))
    shown = " ".join(text for text in texts if text)
    return f"{row['file']}, line {row['line']}: {shown:.60}".rstrip(": ")

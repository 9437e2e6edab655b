r"""Texts from outside, as each medium can hold them.

SMILES, names, messages, flags, paths and settings come from files, from users' own code and from
other people's runs. What is stored is never changed: a text is cleaned where it is written, by the
function of the medium. A sign that a medium cannot hold becomes an escape that can be read, such
as ``\x1b`` or ``\u202e``; none of them can be taken for a part of a SMILES.
"""

import json
import os
import re
import shlex
import unicodedata
from collections.abc import Callable
from functools import cache

from markupsafe import Markup, escape

FONT = "DejaVu Sans"  # comes with matplotlib
MAX_SMILES = 2000  # characters: of more, RDKit may take all the time there is
MAX_DRAWN = 72  # signs of a line that a figure has space for
XYZ_JSON = "_JSON "  # what begins so is JSON to ASE's reader
# what a spreadsheet takes for a formula, and what stands for such a text in a cell
_FORMULA = re.compile(r"'*[=+\-@]")
_QUOTED_FORMULA = re.compile(r"'+[=+\-@]")
_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
# what ends a record of an SDF, and what begins another item of it
_SDF_MARK = re.compile(r"\s*(\$\$\$\$|>)")
_LINE_END = re.compile(r"(\r?\n)")
_LINE_ENDS = ("\n", "\r\n")


def each(clean: Callable[[str], str], texts: list[str]) -> list[str]:
    """Return each of many texts as a function cleans it; fast where there is nothing to clean.

    Parameters
    ----------
    clean
        `csv_cell` or `utf8_text`, which look at signs alone and not at where they stand.
    """
    together = "".join(texts)
    return texts if clean(together) == together else list(map(clean, texts))


def may_be_smiles(text: str) -> bool:
    """Whether a text has the length of a SMILES, and signs of one and of what may stand behind it.

    Whoever reads a SMILES asks here first, as nothing can stop RDKit while it reads.

    RDKit (2026.9.1) reads up to a line end or some other signs, and leaves out the rest.
    """
    return len(text) <= MAX_SMILES and text.isascii() and text.isprintable()


def terminal_text(text: str) -> str:
    """Return a text for a terminal, in one line: nothing in it moves the cursor or hides a word."""
    return _visible(text)


def terminal_lines(text: str) -> str:
    """Return a text of several lines for a terminal: the same, and line feeds stay.

    For messages whose line feeds are ours, and for scripts and logs.
    """
    return "\n".join(map(_visible, text.split("\n")))


def terminal_path(path: str | os.PathLike[str]) -> str:
    r"""Return a path for a terminal, as a shell takes it: in quotes where it needs them.

    What cannot be seen stands as ``$'\x1b'``, which bash, ksh and zsh read back.
    """
    text = os.fspath(path)
    text = f"./{text}" if text.startswith("-") else text  # it would be an option
    if _visible(text) == text:
        return shlex.quote(text)
    return f"$'{''.join(map(_quoted, text))}'"


def counted(n: int, noun: str, plural: str = "") -> str:
    """Return how many there are of something: ``1 molecule``, ``2,000 molecules``."""
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def json_line(value: object) -> str:
    """Return JSON for a terminal and for programs, in one line.

    It holds every text: what a terminal should not see becomes JSON's own escapes, which are read
    back as they were.
    """
    line = json.dumps(value, ensure_ascii=False)
    return line if line.isprintable() else json.dumps(value)


def csv_cell(text: str) -> str:
    """Return a text for a cell of a CSV file, whose rows are a line each.

    RFC 4180 knows no control characters, and programs that go by lines no line ends in quotes.
    Commas and quotes are the writer's to quote. A cell that begins with ``=``, ``+``, ``-`` or
    ``@`` stays as it is: for SMILES, which programs read. Other texts are for :func:`sheet_cell`.
    """
    return _visible(text)


def sheet_cell(text: str) -> str:
    """Return a text for a cell of a CSV file that a spreadsheet may open: names, messages.

    A spreadsheet takes what begins with ``=``, ``+``, ``-`` or ``@`` for a formula and runs it. An
    apostrophe before it makes it a text, by the usual convention. Numbers stay as they are, and so
    do SMILES, which are for :func:`csv_cell`.
    """
    cell = _visible(text)
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def sheet_lines(text: str) -> str:
    """Return a text for the same, whose line ends stay: a cell of the user's own file had them.

    They are the writer's to quote.
    """
    return "".join(
        one if one in _LINE_ENDS else (_visible if place else sheet_cell)(one)
        for place, one in enumerate(_LINE_END.split(text))
    )


def sheet_text(cell: str) -> str:
    """Return the text that stands in a cell as :func:`sheet_cell` or `sheet_lines` writes it."""
    return cell[1:] if _QUOTED_FORMULA.match(cell) else cell


def utf8_text(text: str) -> str:
    """Return a text for Parquet, SQLite and data frames: they hold all but lone surrogates."""
    if text.isascii():  # Python knows it without a look at the text
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_escaped(one) if "\ud800" <= one <= "\udfff" else one for one in text)
    return text


def sdf_line(text: str) -> str:
    """Return a text for a line of an SDF: a molecule's title, or one of a data item.

    It has no line ends; ``$$$$`` at its beginning would end the record, ``>`` might begin another
    item: their first sign becomes an escape.
    """
    line = _visible(text)
    if found := _SDF_MARK.match(line):
        place = found.start(1)
        line = line[:place] + _escaped(line[place]) + line[place + 1 :]
    return line


def sdf_lines(text: str) -> str:
    r"""Return a text for the value of a data item of an SDF: lines as of :func:`sdf_line`.

    An empty one would end the item, and becomes ``\x0a``.
    """
    lines = _LINE_END.split(text)[::2]
    return "\n".join(sdf_line(one) if one.strip() or len(lines) == 1 else r"\x0a" for one in lines)


def xyz_text(text: str) -> str:
    """Return a text for the comment line of an extended XYZ file, as ASE reads it back.

    It holds all but lone surrogates. ``F`` alone would be ASE's False, a backslash is a sign of its
    own; what else has another meaning or no place in a line is written as JSON.
    """
    from ase.io.extxyz import key_val_dict_to_str, key_val_str_to_dict

    text = utf8_text(text)
    plain = text.replace("\\", "\\\\")
    if not text.startswith(XYZ_JSON):
        line = key_val_dict_to_str({"text": plain, "next": 1})
        found = key_val_str_to_dict(line).get("text")
        if line.isprintable() and isinstance(found, str) and found == text:
            return plain
    return XYZ_JSON + json.dumps(text).replace("\\", "\\\\")


def drawn_text(text: str, most: int = MAX_DRAWN) -> str:
    """Return a text for a figure whose signs are drawn, in one line of `most` signs.

    Signs that the font does not have become escapes, too. A longer text ends with an ellipsis.
    """
    line = _visible(text)
    missing = set(line) - _glyphs()
    return _shortened("".join(_escaped(one) if one in missing else one for one in line), most)


def svg_text(text: str, most: int = MAX_DRAWN) -> str:
    """Return a text for an SVG whose texts stay texts, in one line of `most` signs.

    XML knows no control characters. A longer text ends with an ellipsis.
    """
    return _shortened(_visible(text), most)


def html_text(value: object) -> Markup:
    """Return a value for a page, between tags or in the quotes of an attribute.

    Tags and quotes in it are signs. Line feeds stay; they end nothing. What is `Markup` already
    stays, too.
    """
    if isinstance(value, Markup):
        return value
    return escape(terminal_lines(str(value)))


def _visible(text: str) -> str:
    """Return a line of signs that can be seen, the common ground of most media.

    Control characters, line ends, marks of direction and others without a shape, lone surrogates
    and what Unicode has no sign for become escapes. Blanks of any width stay.
    """
    if text.isprintable():
        return text
    return "".join(one if _is_seen(one) else _escaped(one) for one in text)


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def _escaped(sign: str) -> str:
    number = ord(sign)
    if number < 0x80:
        return f"\\x{number:02x}"
    # the same in TOML, which knows no \x
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _quoted(sign: str) -> str:
    """Return a sign for the quotes of ``$'...'``, by its bytes where it cannot be seen."""
    if sign in "\\'":
        return f"\\{sign}"
    if _is_seen(sign):
        return sign
    is_byte = "\udc80" <= sign <= "\udcff"  # of a name that is no UTF-8
    encoded = sign.encode("utf-8", "surrogateescape" if is_byte else "surrogatepass")
    return "".join(f"\\x{one:02x}" for one in encoded)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


@cache
def _glyphs() -> frozenset[str]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(map(chr, get_font(findfont(FONT)).get_charmap()))

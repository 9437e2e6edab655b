import json
import os
import re
import subprocess
import tomllib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from odd_texts import is_seen, texts

from molloop.texts import (
    counted,
    csv_cell,
    drawn_text,
    each,
    html_text,
    json_line,
    sdf_line,
    sdf_lines,
    sheet_cell,
    sheet_lines,
    sheet_text,
    svg_text,
    terminal_lines,
    terminal_path,
    terminal_text,
    utf8_text,
)


def test_how_many_there_are():
    assert counted(1, "molecule") == "1 molecule"
    assert counted(0, "molecule") == "0 molecules"
    assert counted(2000, "molecule") == "2,000 molecules"
    assert counted(1, "value is", "values are") == "1 value is"
    assert counted(3, "value is", "values are") == "3 values are"


ONE_LINE = (terminal_text, csv_cell, sdf_line, drawn_text, svg_text)


@pytest.mark.parametrize("clean", ONE_LINE)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\r\nb\tc\x00\x7f", r"a\x0d\x0ab\x09c\x00\x7f"),
        ("\x9b2J\x85", r"\u009b2J\u0085"),
        ("a\u202eb\u2066c\u2028", r"a\u202eb\u2066c\u2028"),
        ("\udc80\ud800", r"\udc80\ud800"),
        ("\U000e0041\ufffe", r"\U000e0041\ufffe"),
    ],
)
def test_what_cannot_be_seen_is_an_escape(clean, text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize("clean", [*ONE_LINE, utf8_text, terminal_lines])
@pytest.mark.parametrize(
    "text", ["", "F/C=C\\F", "[NH4+]", "C#N", "=1+1", "-3.5", "Å µ ΔSCF", "a\u00a0b", "$x$ {0} %s"]
)
def test_what_can_be_seen_stays(clean, text):
    assert clean(text) == text


@given(texts)
def test_a_line_is_seen_whatever_is_in_it(text):
    for clean in ONE_LINE:
        assert is_seen(clean(text))
        assert clean(clean(text)) == clean(text)
    assert terminal_lines(text).count("\n") == text.count("\n")
    assert is_seen(terminal_lines(text).replace("\n", ""))


@given(texts)
def test_json_of_a_terminal_reads_back(text):
    text = re.sub("[\ud800-\udbff]", "", text)  # with the other half it is a sign, for JSON
    line = json_line({"text": text})
    assert is_seen(line)
    assert json.loads(line) == {"text": text}


@given(texts)
def test_what_holds_utf_8_changes_surrogates_alone(text):
    plain = "".join(one for one in text if not "\ud800" <= one <= "\udfff")
    assert utf8_text(plain) == plain
    assert utf8_text(text).encode().decode() == utf8_text(text)
    assert utf8_text(f"{plain}\udc80") == rf"{plain}\udc80"


@given(st.lists(texts))
def test_many_are_cleaned_as_one_by_one(some):
    for clean in (csv_cell, utf8_text):
        assert each(clean, some) == [clean(one) for one in some]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("$$$$", r"\x24$$$"),
        ("  $$$$ a", r"  \x24$$$ a"),
        ("> <ie_ev>", r"\x3e <ie_ev>"),
        ("a $$$$ > b", "a $$$$ > b"),
        ("$$$", "$$$"),
    ],
)
def test_a_line_of_an_sdf_ends_nothing(text, line):
    assert sdf_line(text) == line


def test_what_is_drawn_has_glyphs_and_an_end():
    assert drawn_text("\u96fb x") == r"\u96fb x"  # of which the font has none
    assert svg_text("\u96fb x") == "\u96fb x"
    assert drawn_text("abcdef", 5) == svg_text("abcdef", 5) == "abcd…"
    assert drawn_text("abcde", 5) == svg_text("abcde", 5) == "abcde"


def test_what_stands_on_a_page_is_no_tag():
    assert html_text('<b title="a">&\x1b\n') == "&lt;b title=&#34;a&#34;&gt;&amp;\\x1b\n"
    assert html_text(html_text("<b>")) == "&lt;b&gt;"
    assert html_text(1.5) == "1.5"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("runs/a", "runs/a"),
        ("my run", "'my run'"),
        ("-x", "./-x"),
        ("a'b\x1b", r"$'a\'b\x1b'"),
        ("\u202ea\\\n", r"$'\xe2\x80\xaea\\\x0a'"),
        ("a\udcff1", r"$'a\xff1'"),
    ],
)
def test_a_path_is_what_a_shell_takes(path, shown):
    assert terminal_path(path) == shown


NAMES = texts.map(lambda text: text.replace("\0", "").replace("\ud800", "")).filter(
    lambda text: not any("\ud800" <= one < "\udc80" or "\udcff" < one <= "\udfff" for one in text)
)


@example(["a b", "-n", "$(x)", "\x1b[2J\n", "\udcff0"])
@given(st.lists(NAMES, min_size=1, max_size=5))
def test_a_shell_reads_a_path_back(names):
    shown = [terminal_path(name) for name in names]
    assert all(map(is_seen, shown))
    command = ["bash", "--norc", "-c", f"printf '%s\\0' {' '.join(shown)}"]
    found = subprocess.run(command, capture_output=True, check=True).stdout.split(b"\0")[:-1]
    expected = [f"./{name}" if name.startswith("-") else name for name in names]
    assert found == list(map(os.fsencode, expected))


@given(texts)
def test_escapes_are_toml_s_where_toml_has_none_itself(text):
    # what a TOML writer leaves as it is: no control characters of ASCII, no quotes, no surrogates
    plain = "".join(one for one in text if one >= "\x80" and not "\ud800" <= one <= "\udfff")
    assert tomllib.loads(f'text = "{terminal_text(plain)}"') == {"text": plain}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("a")', '\'=HYPERLINK("a")'),
        ("+CCO", "'+CCO"),
        ("-ol", "'-ol"),
        ("@home", "'@home"),
        ("-1+cmd", "'-1+cmd"),
        ("'=1", "''=1"),
        # numbers and other texts stay
        *((text, text) for text in ("-1.5", "+3", "-2,5e-3", "", "(-)-menthol", "a=1", "'a'", "'")),
        ("\t=1", r"\x09=1"),
    ],
)
def test_a_cell_of_a_spreadsheet_is_no_formula(text, cell):
    assert sheet_cell(text) == cell


@pytest.mark.parametrize(
    ("text", "cell", "item"),
    [
        ("a\nb", "a\nb", "a\nb"),
        ("a\r\n\r\nb", "a\r\n\r\nb", "a\n\\x0a\nb"),
        ("=1+1\n=2+2", "'=1+1\n=2+2", "=1+1\n=2+2"),
        ("a\n$$$$\n> <b>", "a\n$$$$\n> <b>", "a\n\\x24$$$\n\\x3e <b>"),
        ("\n \n", "\n \n", "\\x0a\n\\x0a\n\\x0a"),
        ("a\rb\x0bc", r"a\x0db\x0bc", r"a\x0db\x0bc"),
        ("", "", ""),
    ],
)
def test_lines_of_a_user_s_own_cell_stay(text, cell, item):
    assert sheet_lines(text) == cell
    assert sdf_lines(text) == item


@given(texts)
def test_a_cell_of_a_spreadsheet_reads_back(text):
    cell = sheet_cell(text)
    assert is_seen(cell)
    assert sheet_text(cell) == csv_cell(text)
    if cell.startswith(("=", "+", "-", "@")):
        assert np.isfinite(float(cell.replace(",", ".")))

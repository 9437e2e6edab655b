"""Texts that a medium may not hold as they are."""

import unicodedata

from hypothesis import strategies as st

# what means something to a terminal, to markup, figures, shells, spreadsheets, SDF, XYZ, XML or CSS
SIGNS = (
    "\x1b[]$%{}:=-+@'\"`\\<>&;,#|!\r\n\t\0\x7f\x85\x9b\u200f\u2028\u202e\u2066\ud800\udc80\ufffe"
)
WORDS = (
    *(
        "\x1b[2J",
        "[/b]",
        "[red]",
        "$$$$",
        "> <ie_ev>",
        "M  END",
        "<script>",
        "</svg>",
        "-->",
        "]]>",
    ),
    *("font-family: a", "#010203", "{0}", "%s", "$\\frac{", "\r\n", ":smile:", "_JSON 1", "=1+1"),
    *("'=1", "-1", "+cmd|' /C calc'!A1", "@SUM(1)"),
    *("&amp;", "\u96fb\u5b50", "\U000e0041"),
)
texts = st.lists(st.sampled_from([*SIGNS, *WORDS]) | st.characters(), max_size=8).map("".join)


def is_seen(text):
    """Whether nothing in a line moves a cursor, or has no shape."""
    return all(unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in text)

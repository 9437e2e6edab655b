"""Files of molecules, and damage done to them: each is read, or told in a line."""

import random
import tempfile
from pathlib import Path

from rdkit import Chem

from molloop.errors import InputError
from molloop.library import sources
from molloop.library.reading.options import Reading
from molloop.library.tables import rows_of

SMILES = ("CCO", "C", "c1ccccc1", "C[N+](C)(C)CC(=O)[O-]", "CC(C)(C)OC(=O)NC", "C[C@H](N)C(=O)O")
# what means something in one format or the other
SIGNS = (
    *("$$$$\n", "M  END\n", "V3000", "V2000", ">  <a>\n", "999", "-1", "\n", "\r", "\r\n", "\t"),
    *(",", ";", '"', '""', "'", " ", "|", "|^1:0|", "\0", "\ufeff", "\ufffd", "\x1b[2J", "=1+1"),
    *("InChI=1S/", "[", "(", "%99", "1e999", "nan", "C" * 3000, "\udcff", "\u2028", "smiles"),
    *("# ", "#\n", "sep=;\n"),
)
SUFFIXES = (".sdf", ".smi", ".csv", ".tsv", ".txt", "")


def whole_files():
    """Return sound files of every kind of text."""
    molecules = [Chem.MolFromSmiles(text) for text in SMILES]
    named = [(text, f"mol {number}", f"{number}.5") for number, text in enumerate(SMILES)]
    inchis = [Chem.MolToInchi(one) for one in molecules]
    return [
        *(
            "".join(
                f"{Chem.MolToMolBlock(one, forceV3000=v3000)}>  <ie_ev>\n1.5\n\n$$$$\n"
                for one in molecules
            )
            for v3000 in (False, True)
        ),
        *(
            "\n".join([sign.join(("smiles", "name", "ie_ev")), *map(sign.join, named)]) + "\n"
            for sign in (",", ";", "\t")
        ),
        'id,smiles\n"two\nlines",CCO\n"5"" tube",C\n',
        "".join(f"{text} {name}\n" for text, name, _ in named),
        "".join(f"{number}\t{text}\n" for number, text in enumerate(SMILES)),
        "inchi\n" + "".join(f'"{text}"\n' for text in inchis),
        "CCO |^1:0|\tZ1\nC |$a;b$|\tZ2\n",
    ]


def damaged(text, places):
    """Return a text with damage at some places: (kind, where, how much, which sign)."""
    for kind, where, size, sign in places:
        at = where % (len(text) + 1)
        if kind == 0:  # lost
            text = text[:at] + text[at + size :]
        elif kind == 1:  # something comes between
            text = text[:at] + SIGNS[sign % len(SIGNS)] + text[at:]
        elif kind == 2:  # cut off
            text = text[:at]
        elif kind == 3:  # twice
            text = text[:at] + text[at : at + size] + text[at:]
        else:  # another place
            part = text[at : at + size]
            rest = text[:at] + text[at + size :]
            to = sign * 97 % (len(rest) + 1)
            text = rest[:to] + part + rest[to:]
    return text


def read_all(path):
    """Read a file as a library does and as a table of values; return what was told of it."""
    told = []
    for read in (_as_library, _as_table):
        try:
            read(path)
        except InputError as error:
            told.append(str(error))
    return told


def _as_library(path):
    for block in sources.blocks([path], Reading()):
        assert len(block.lines) == len(block.texts) == len(block.names) > 0
        assert block.lines == sorted(block.lines)


def _as_table(path):
    with rows_of(path, "table", ("ie_ev",)) as table:
        for line, cells in table:
            table.number(line, "ie_ev", cells["ie_ev"], 1e100, empty=0.0)


def damage_many(n, seed=0):
    """Damage files at random and read them: return how many were told, the longest and a few."""
    rng = random.Random(seed)
    files = whole_files()
    told = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(n):
            places = [
                (rng.randrange(5), rng.randrange(10**6), rng.randrange(1, 80), rng.randrange(100))
                for _ in range(rng.randrange(1, 6))
            ]
            text = damaged(files[number % len(files)], places)
            path = Path(folder) / f"file{SUFFIXES[rng.randrange(len(SUFFIXES))]}"
            path.write_text(text, "utf-8", "surrogateescape", newline="")
            told += read_all(path)
            path.unlink()
    return told

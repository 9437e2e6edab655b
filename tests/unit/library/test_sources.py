import bz2
import csv
import gzip
import lzma
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from rdkit import Chem

from molloop.errors import InputError
from molloop.library import sources
from molloop.library.reading.options import Reading


def all_lines(path, column="smiles"):
    found = []
    for block in sources.blocks([path], Reading(column)):
        assert block.file == path.name
        found.extend(zip(block.lines, block.texts, strict=True))
    return found


def write(path, content):
    """Write bytes, compressed as the name says."""
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".bz2":
        content = bz2.compress(content)
    elif path.suffix == ".xz":
        content = lzma.compress(content)
    elif path.suffix == ".zst":
        content = pa.compress(content, codec="zstd", asbytes=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", ".bz2", ".xz"])
@pytest.mark.parametrize("kind", [".smi", ".csv", ".tsv", ".parquet"])
def test_every_format_and_compression(tmp_path, kind, suffix):
    plain = tmp_path / f"plain{kind}"
    if kind == ".parquet":
        parquet.write_table(pa.table({"n": [1, 2, 3], "smiles": ["C", None, "N"]}), plain)
    else:
        sign = {".csv": ",", ".tsv": "\t", ".smi": " "}[kind]
        rows = [["smiles", "n"], ["C", "1"], ["", "2"], ["N", "3"]][kind == ".smi" :]
        plain.write_text("".join(sign.join(row) + "\n" for row in rows))
    path = write(tmp_path / f"a{kind}{suffix}", plain.read_bytes())
    first = 1 if kind in (".smi", ".parquet") else 2
    empty = "2" if kind == ".smi" else ""  # the first word of ' 2'
    assert all_lines(path) == [(first, "C"), (first + 1, empty), (first + 2, "N")]


def test_smi_takes_the_first_word_of_a_line(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("CCO ethanol\nC\tmethane\n\nN\n")
    assert all_lines(path) == [(1, "CCO"), (2, "C"), (3, ""), (4, "N")]


def test_csv_by_column_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name,SMILES\n"a, b",CCO\nx,N\n')
    assert all_lines(path, "SMILES") == [(2, "CCO"), (3, "N")]


def test_csv_with_a_short_row_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfname,smiles\nx,C\ny\nz,N\n")
    assert all_lines(path) == [(2, "C"), (3, ""), (4, "N")]


def test_csv_counts_lines_and_not_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles\nC\n\n\nXXX\n"C\nQ"\nQQQ\n')
    assert all_lines(path) == [(2, "C"), (5, "XXX"), (7, "C\nQ"), (8, "QQQ")]


def test_a_quotation_mark_that_is_never_closed_does_not_end_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles\nC\n"N\n' + "CC\n" * 30_000 + '"CO\nCN\n')
    lines = all_lines(path)
    assert lines[:3] == [(2, "C"), (3, '"N'), (4, "CC")]
    assert lines[-3:] == [(30_003, "CC"), (30_004, '"CO'), (30_005, "CN")]
    assert len(lines) == 30_004


def test_a_quotation_mark_within_a_cell_of_a_csv_is_a_sign_like_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles,note\nCCO,5" tube\nCCC,x\n"CCN","2"" a, b"\nCCF,6" tube\nCCCl,z\n')
    expected = [(2, "CCO"), (3, "CCC"), (4, "CCN"), (5, "CCF"), (6, "CCCl")]
    assert all_lines(path) == expected
    path.write_text('smiles,note\nCCO,5" tube\nCCC,"two\nlines"\nCCN,y\nCCF,"never closed\nC,z\n')
    assert all_lines(path) == [(2, "CCO"), (4, "CCC"), (5, "CCN"), (6, "CCF"), (7, "C")]


CELL = st.text(st.sampled_from('C"\n\r, ;\t'), max_size=6)


@given(
    st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8),
    st.sampled_from([("excel", ".csv"), ("unix", ".csv"), ("excel-tab", ".tsv")]),
    st.permutations(["smiles", "note"]),
)
def test_what_a_writer_of_tables_writes_is_read_or_refused(
    tmp_path_factory, rows, dialect_and_kind, names
):
    dialect, kind = dialect_and_kind
    path = tmp_path_factory.getbasetemp() / f"written{kind}"
    with path.open("w", newline="") as file:
        csv.writer(file, dialect).writerows([names, ["N", "N"], *rows])
    place = names.index("smiles")
    expected = ["N"] + [cells[place].strip().split(" ")[0].split("\t")[0] for cells in rows]
    try:
        found = [text for _, text in all_lines(path)]
    except InputError as error:
        assert "it may be both" in str(error)  # noqa: PT017 - most are read
        assert any("C" in line for cells in rows for cell in cells for line in cell.splitlines())
    else:
        assert found == expected


SMILES = st.sampled_from(["C", "CCO", "c1ccccc1", "C[N+](=O)[O-]", "OCC(F)(F)F", "N#N"])


@given(
    st.lists(st.tuples(SMILES, st.text(max_size=12)), min_size=1, max_size=8),
    st.sampled_from([("excel", ".csv"), ("unix", ".csv"), ("excel-tab", ".tsv")]),
)
def test_molecules_beside_any_text_keep_their_number_and_order(
    tmp_path_factory, rows, dialect_and_kind
):
    dialect, kind = dialect_and_kind
    path = tmp_path_factory.getbasetemp() / f"beside{kind}"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file, dialect).writerows([("smiles", "note"), *rows])
    try:
        found = [text for _, text in all_lines(path)]
    except InputError as error:
        assert "it may be both" in str(error)  # noqa: PT017 - most are read
    else:
        assert found == [smiles for smiles, _ in rows]


def test_quoted_line_ends_and_tabs_of_a_tsv(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('smiles\tname\nC\t"two\nlines"\n"N"\t"a\tb"\nO\t"5"" tube"\nCC\tx\n')
    assert all_lines(path) == [(3, "C"), (4, "N"), (5, "O"), (6, "CC")]


def test_quotation_marks_that_quote_nothing_in_a_tsv_are_signs_like_others(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('smiles\tname\tn\r\nC\t"5in\t1\r\nN\t6" tube\t2\r\nO\tx\t3\r\n')
    assert all_lines(path) == [(2, "C"), (3, "N"), (4, "O")]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (".tsv", 'smiles\tname\nC\t"5in\nN\t"\nO\tx\n'),
        (".csv", 'smiles,name\nC,"5in\nN,6in"\nO,x\n'),
        (".csv", 'name,smiles\nx,"C\ny,N"\nz,O\n'),
        (".csv", 'smiles\n"C\nN"\nO\n'),
        # rows with fewer or more cells than the header
        (".csv", 'smiles,n,note\nCO,1.0,"tube\nCC\nCCC,x"\nN,2,y\n'),
        (".csv", 'smiles,n,note\nCO,1.0,"tube\nCC,1\nx"\nN,2,y\n'),
        (".csv", 'smiles,note\nCO,"tube\nCC,1,2\nx"\nN,y\n'),
        (".tsv", 'n\tsmiles\tnote\n1\tCO\t"tube\n2\tCC\n3"\nN\t4\ty\n'),
        (".csv", 'smiles,n,note\nCO,1.0,"tube\n CC "\nN,2,y\n'),
        # a cell that is closed too late, behind a line that is no row
        (".csv", 'name,smiles\n"tube\nb,CC\nc",CCO\nd,N\n'),
    ],
)
def test_lines_that_are_rows_or_parts_of_a_cell_are_refused(tmp_path, kind, content):
    path = tmp_path / f"a{kind}"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"a{kind}, line 3: .* it may be both") as caught:
        all_lines(path)
    assert "row that begins in line 2; it may be both" in str(caught.value)


def test_the_row_whose_cell_is_closed_too_late_is_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles,n,note\nN,1,x\nCO,1.0,"tube\nits, and\nmore\nCC\nx"\n')
    with pytest.raises(InputError, match=r"line 6: got 'CC', .* the cell, in line 3 or below"):
        all_lines(path)


@pytest.mark.parametrize(
    "note",
    [
        "I think\nI saw it boil\nOver, and over, again",
        "3\nwater\nO 0.0 0.0 0.1\nH 0.0 0.8 -0.5\nH 0.0 -0.8 -0.5",
        "\n\n-----\n1.5, 2.5\n",
        "the second line\nand,CC",  # not in the column of SMILES
    ],
)
def test_lines_of_a_quoted_text_are_no_rows(tmp_path, note):
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["smiles", "n", "note"], ["CO", 1, note], ["N", 2, "y"]])
    last = 2 + note.count("\n")
    assert all_lines(path) == [(last, "CO"), (last + 1, "N")]


@pytest.mark.parametrize("kind", [".csv", ".tsv"])
def test_a_row_has_as_many_cells_as_the_header(tmp_path, kind):
    path = tmp_path / f"a{kind}"
    sign = {".csv": ",", ".tsv": "\t"}[kind]
    rows = [["id", "smiles"], ["1", "C"], ["2", "N", "O"], ["3"], ["4", "CC", ""], ["5", "O"]]
    path.write_text("\n".join(sign.join(row) for row in rows))
    [block] = sources.blocks([path], Reading())
    assert block.texts == ["C", "", "", "", "O"]
    assert block.faults == {
        3: "cells: 3, in the header: 2",
        4: "cells: 1, in the header: 2",
        5: "cells: 3, in the header: 2",  # or the cells before would be taken for others
    }


def test_a_delimiter_may_stand_behind_the_last_cell_of_all_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,n,\nC,1,\nN,2,\n")
    assert all_lines(path) == [(2, "C"), (3, "N")]


def test_a_molblock_in_a_cell_is_a_cell(tmp_path):
    block = "\n  x\n\n  1  0  0\n" + "    0.0    0.0    0.0 C\n" * 300 + "M  END\n"
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["smiles", "mol"], ["C", block], ["N", block]])
    assert [text for _, text in all_lines(path)] == ["C", "N"]


ETHANOL, AMINE = (Chem.MolToMolBlock(Chem.MolFromSmiles(one)) for one in ("CCO", "CCN"))
ITEM = "> <a>\n1\n\n"
SEVERAL = "several molfiles in one record: $$$$ is missing between them"


@pytest.mark.parametrize("behind", ["", ITEM, f"{ITEM}> <b>\n\n"])
def test_molfiles_without_a_mark_between_them_are_refused(tmp_path, behind):
    path = tmp_path / "a.sdf"
    path.write_text(f"{ETHANOL}{behind}{AMINE}{behind}$$$$\n{AMINE}{behind}$$$$\n")
    [block] = sources.blocks([path], Reading())
    assert list(block.faults.values()) == [SEVERAL]
    assert [bool(one) for one in block.texts] == [False, True]


def test_a_data_item_may_be_a_molfile(tmp_path):
    path = tmp_path / "a.sdf"
    path.write_text(f"{ETHANOL}{ITEM}> <product>\n{AMINE}\n> <b>\n2\n\n$$$$\n")
    [block] = sources.blocks([path], Reading())
    assert not block.faults
    [text] = block.texts
    assert Chem.MolToSmiles(Chem.MolFromMolBlock(text)) == "CCO"


@pytest.mark.parametrize("name", ["CCO", "S", "CN", "C*", "CCO ethanol"])
@pytest.mark.parametrize("kind", [".csv", ".tsv", ".parquet"])
def test_the_first_molecule_of_a_table_without_names_is_no_name(tmp_path, name, kind):
    path = tmp_path / f"a{kind}"
    if kind == ".parquet":
        parquet.write_table(pa.table({name: ["C", "N"]}), path)
        expected = r"a name that is no SMILES.*a line of names before"
    else:
        path.write_text(f"{name}\nC\nN\n")
        expected = r"first line .*holds a molecule, and no names.*`--column 1"
        for column in (None, "1"):
            assert all_lines(path, column) == [(1, name.split(" ")[0]), (2, "C"), (3, "N")]
    with pytest.raises(InputError, match=expected):
        all_lines(path, name)


@pytest.mark.parametrize(
    "name", ["smiles", "SMILES", "canonical_smiles", "structure", "Smiles String"]
)
def test_names_of_columns_are_no_smiles(tmp_path, name):
    path = tmp_path / "a.csv"
    path.write_text(f"{name}\nC\nN\n")
    assert all_lines(path, name) == [(2, "C"), (3, "N")]


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_column_that_is_there_twice_is_refused(tmp_path, kind):
    path = tmp_path / f"a{kind}"
    if kind == ".parquet":
        columns = [pa.array(["C"]), pa.array(["N"])]
        parquet.write_table(pa.Table.from_arrays(columns, ["smiles", "smiles"]), path)
    else:
        path.write_text("smiles,smiles\nC,N\n")
    with pytest.raises(InputError, match=r"a name that .* has once"):
        all_lines(path)


@pytest.mark.parametrize("header", ["smiles;n", "smiles\tn"])
def test_a_header_that_is_parted_otherwise_than_the_rows_is_told(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\nC,1\n")
    with pytest.raises(InputError, match=r"None could be read.*line 2: cells: [12], in"):
        all_lines(path)


def test_parquet_of_numbers_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"smiles": [1, 2]}), path)
    with pytest.raises(InputError, match="It holds int64"):
        all_lines(path)


def test_parquet_of_words_and_of_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.parquet"
    words = pa.array(["C", "N", None, "C"]).dictionary_encode()
    parquet.write_table(pa.table({"smiles": words}), path)
    assert all_lines(path) == [(1, "C"), (2, "N"), (3, ""), (4, "C")]
    broken = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(np.array([0, 1, 3], "<i4")), pa.py_buffer(b"C\xffN")]
    )
    parquet.write_table(pa.table({"smiles": broken}), path)
    assert all_lines(path) == [(1, "C"), (2, "\ufffdN")]


def test_what_follows_a_blank_in_a_cell_is_an_extension_or_a_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,n\n C[C@H](N)O |o1:1| alanine-like,1\nCCO ethanol,2\n")
    [block] = sources.blocks([path], Reading())
    assert block.texts == ["C[C@H](N)O |o1:1|", "CCO"]
    assert block.names == ["alanine-like", "ethanol"]


def test_a_column_that_a_later_file_lacks_is_told_at_once(tmp_path):
    (tmp_path / "a.csv").write_text("smiles\nC\n")
    (tmp_path / "b.csv").write_text("structure\nC\n")
    with pytest.raises(InputError, match=r"the column of SMILES in .*b\.csv.*'structure'"):
        next(sources.blocks([tmp_path / "a.csv", tmp_path / "b.csv"], Reading()))


def test_files_of_the_same_name_are_told_apart(tmp_path):
    paths = [tmp_path / name for name in ("x/a.smi", "y/a.smi", "b.smi")]
    assert sources.titles(paths) == [str(paths[0]), str(paths[1]), "b.smi"]


def test_several_members_of_a_gz(tmp_path):
    path = tmp_path / "a.smi.gz"
    path.write_bytes(gzip.compress(b"C\n") + gzip.compress(b"N\n"))
    assert all_lines(path) == [(1, "C"), (2, "N")]


def test_bytes_that_are_no_text_are_a_bad_line(tmp_path):
    path = tmp_path / "a.smi"
    path.write_bytes(b"C\n\xff\xfe\x00\nN\n")
    lines = all_lines(path)
    assert [number for number, _ in lines] == [1, 2, 3]
    assert lines[1][1] not in ("", "C", "N")


def test_blocks_number_their_lines_and_say_how_far_they_are(tmp_path):
    n = sources.BLOCK_SIZE * 2 + 5
    paths = [tmp_path / "a.smi", tmp_path / "b.smi"]
    for path in paths:
        path.write_text("C\n" * n)
    blocks = list(sources.blocks(paths, Reading()))
    size = sources.BLOCK_SIZE
    assert [block.lines[0] for block in blocks] == [1, size + 1, 2 * size + 1] * 2
    assert [block.file for block in blocks] == ["a.smi"] * 3 + ["b.smi"] * 3
    assert sum(len(block.texts) for block in blocks) == 2 * n
    fractions = [block.fraction for block in blocks]
    assert fractions == sorted(fractions)
    assert fractions[2] == 0.5
    assert fractions[-1] == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.smi", b""),
        ("a.smi.gz", b""),
        ("a.smi.zst", b""),
        ("a.smi.gz", gzip.compress(b"", mtime=0)),
        ("a.csv", b"smiles\n"),
    ],
)
def test_an_empty_file_is_refused(tmp_path, name, content):
    (tmp_path / "full.smi").write_text("C\n")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}.*at least one molecule"):
        list(sources.blocks([tmp_path / "full.smi", path], Reading()))


def test_qm9_is_in_the_package():
    path = sources.locate("qm9")
    lines = all_lines(path)
    assert len(lines) == 130_831
    assert [text for _, text in lines[:5]] == ["C", "N", "O", "C#C", "C#N"]
    assert path.stat().st_size < 2**20


@pytest.mark.parametrize("name", ["a.txt", "a", "a.smi.bz2", "a.gz", "a.parquet", "a.sdf"])
def test_the_content_decides_and_not_the_end_of_the_name(tmp_path, name):
    (tmp_path / name).write_text("C\n")
    assert all_lines(sources.locate(str(tmp_path / name))) == [(1, "C")]


@pytest.mark.parametrize("name", ["none.smi", ".", "qm10", ""])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="a built-in library"):
        sources.locate(str(tmp_path / name) if name != "qm10" else name)


def random_lines():
    draw = random.Random(1)
    return "".join("".join(draw.choices("CNOF", k=30)) + "\n" for _ in range(9999)).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.smi.gz", b"not gzip"),
        ("a.smi.zst", b"not zstd"),
        ("a.parquet", b"not parquet"),
        ("a.parquet.gz", gzip.compress(b"not parquet", mtime=0)),
        ("a.smi.gz", gzip.compress(random_lines(), mtime=0)[:-6]),
        ("a.smi.gz", gzip.compress(random_lines(), mtime=0)[:-2000]),
        ("a.smi.zst", pa.compress(random_lines(), codec="zstd", asbytes=True)[:-2000]),
    ],
)
def test_a_damaged_file_is_named(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)):
        all_lines(path)


@pytest.mark.parametrize("content", ["name\nx\n", ""])
def test_a_missing_column_is_named(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=r"column: got 'smiles'"):
        all_lines(path)


def test_a_file_of_which_nothing_can_be_read_shows_how_it_was_understood(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("the first\nsecond\nthird one of all\nfourth\n")
    with pytest.raises(InputError) as caught:
        all_lines(path)
    assert str(caught.value) == (
        f"library: got '{path}', expected at least one molecule. None could be read as the file "
        "was understood: SMILES in column 1, by what it holds; names in column 2; parted by "
        "blanks, without a header. line 1: SMILES 'the', name 'first'; line 2: SMILES 'second'; "
        "line 3: SMILES 'third', name 'one of all'."
    )


@given(st.binary(max_size=300), st.sampled_from([".smi", ".csv", ".tsv"]))
def test_any_bytes_are_lines_or_an_error(tmp_path_factory, content, kind):
    path = tmp_path_factory.getbasetemp() / f"any{kind}"
    path.write_bytes(b"smiles\nC\n" + content)
    try:
        lines = all_lines(path)
    except InputError as error:
        assert "it may be both" in str(error)  # noqa: PT017 - most are read
    else:
        assert (2, "C") in lines
        assert [line for line, _ in lines] == sorted({line for line, _ in lines})


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", lambda content: gzip.compress(content, mtime=0)),
        (".zst", lambda content: pa.compress(content, codec="zstd", asbytes=True)),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
    ],
)
def test_a_compressed_file_that_is_cut_anywhere_is_an_error(tmp_path, suffix, compress):
    path = tmp_path / f"a.smi{suffix}"
    whole = compress(random_lines()[:600])
    for n_bytes in range(2, len(whole)):  # B alone is a SMILES
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(InputError, match=str(path)):
            all_lines(path)

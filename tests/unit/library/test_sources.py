import csv
import gzip
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from molloop.errors import InputError
from molloop.library import sources


def all_lines(path, column="smiles"):
    found = []
    for block in sources.blocks([path], column):
        assert block.file == path.name
        found.extend(zip(block.lines, block.smiles, strict=True))
    return found


def write(path, content):
    """Write bytes, compressed as the name says."""
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".zst":
        content = pa.compress(content, codec="zstd", asbytes=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
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
    path.write_text('smiles\nC\n\n\nXXX\n"C\nC"\nQQQ\n')
    assert all_lines(path) == [(2, "C"), (5, "XXX"), (7, "C\nC"), (8, "QQQ")]


def test_a_quotation_mark_that_is_never_closed_does_not_end_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles\nC\n"N\n' + "CC\n" * 30_000 + '"CO\nCN\n')
    lines = all_lines(path)
    assert lines[:3] == [(2, "C"), (3, ""), (4, "CC")]
    assert lines[-3:] == [(30_003, "CC"), (30_004, ""), (30_005, "CN")]
    assert len(lines) == 30_004


def test_a_quotation_mark_within_a_cell_of_a_csv_is_a_sign_like_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles,note\nCCO,5" tube\nCCC,x\n"CCN","2"" a, b"\nCCF,6" tube\nCCCl,z\n')
    expected = [(2, "CCO"), (3, "CCC"), (4, "CCN"), (5, "CCF"), (6, "CCCl")]
    assert all_lines(path) == expected
    path.write_text('smiles,note\nCCO,5" tube\nCCC,"two\nlines"\nCCN,y\nCCF,"never closed\nC,z\n')
    assert all_lines(path) == [(2, "CCO"), (4, "CCC"), (5, "CCN"), (6, ""), (7, "C")]


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('C"\n, |'), max_size=6), min_size=2, max_size=2),
        max_size=8,
    )
)
def test_what_a_writer_of_csv_writes_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "written.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["smiles", "note"], *rows])
    found = [text for _, text in all_lines(path)]
    expected = [cells[0].strip().split(" ")[0] for cells in rows]
    assert found == expected


def test_quotation_marks_in_a_tsv_are_signs_like_others(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text('smiles\tname\r\nC\t"5in\r\nN\t"\r\nO\n')
    assert all_lines(path) == [(2, "C"), (3, "N"), (4, "O")]


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


def test_what_follows_a_blank_in_a_cell_is_ignored(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,n\n C[C@H](N)O |o1:1| alanine-like,1\n")
    assert all_lines(path) == [(2, "C[C@H](N)O")]


def test_a_column_that_a_later_file_lacks_is_told_at_once(tmp_path):
    (tmp_path / "a.csv").write_text("smiles\nC\n")
    (tmp_path / "b.csv").write_text("SMILES\nC\n")
    with pytest.raises(InputError, match=r"b\.csv"):
        next(sources.blocks([tmp_path / "a.csv", tmp_path / "b.csv"], "smiles"))


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
    blocks = list(sources.blocks(paths, ""))
    size = sources.BLOCK_SIZE
    assert [block.lines[0] for block in blocks] == [1, size + 1, 2 * size + 1] * 2
    assert [block.file for block in blocks] == ["a.smi"] * 3 + ["b.smi"] * 3
    assert sum(len(block.smiles) for block in blocks) == 2 * n
    fractions = [block.fraction for block in blocks]
    assert fractions == sorted(fractions)
    assert fractions[2] == 0.5
    assert fractions[-1] == 1


def test_empty_files_give_nothing(tmp_path):
    for name in ("a.smi", "b.smi.gz"):
        (tmp_path / name).touch()
    assert list(sources.blocks([tmp_path / "a.smi", tmp_path / "b.smi.gz"], "")) == []


def test_qm9_is_in_the_package():
    path = sources.locate("qm9")
    lines = all_lines(path)
    assert len(lines) == 130_831
    assert [text for _, text in lines[:5]] == ["C", "N", "O", "C#C", "C#N"]
    assert path.stat().st_size < 2**20


@pytest.mark.parametrize("name", ["a.txt", "a", "a.smi.bz2", "a.gz"])
def test_an_unknown_format_is_refused(tmp_path, name):
    (tmp_path / name).write_text("C\n")
    with pytest.raises(InputError, match=r"\.smi, \.csv, \.tsv or \.parquet"):
        sources.locate(str(tmp_path / name))


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


@given(st.binary(max_size=300), st.sampled_from([".smi", ".csv", ".tsv"]))
def test_any_bytes_are_lines_or_an_error(tmp_path_factory, content, kind):
    path = tmp_path_factory.getbasetemp() / f"any{kind}"
    path.write_bytes(b"smiles\n" + content)
    for line, text in all_lines(path):
        assert line >= 1
        assert isinstance(text, str)

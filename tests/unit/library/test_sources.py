import gzip

import pyarrow as pa
import pytest
from pyarrow import parquet

from molloop.errors import InputError
from molloop.library import sources


def all_lines(path, column="smiles"):
    found = []
    for block in sources.blocks(path, column):
        found.extend(zip(block.lines, block.smiles, strict=True))
    return found


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
    path.write_bytes(b"\xef\xbb\xbfsmiles,name\nC,x\nN\n")
    assert all_lines(path) == [(2, "C"), (3, "N")]


def test_csv_counts_lines_and_not_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('smiles\nC\n\n\nXXX\n"C\nC"\nQQQ\n')
    assert all_lines(path) == [(2, "C"), (5, "XXX"), (7, "C\nC"), (8, "QQQ")]


def test_parquet_of_numbers_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"smiles": [1, 2]}), path)
    with pytest.raises(InputError, match="It holds int64"):
        all_lines(path)


def test_a_damaged_parquet_cannot_be_counted(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_text("junk")
    with pytest.raises(InputError, match=str(path)):
        sources.count(path)


def test_gz(tmp_path):
    path = tmp_path / "a.smi.gz"
    path.write_bytes(gzip.compress(b"C\nN\n"))
    assert all_lines(path) == [(1, "C"), (2, "N")]
    assert sources.count(path) is None


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"smiles": ["C", None, "N"]}), path)
    assert all_lines(path) == [(1, "C"), (2, ""), (3, "N")]
    assert sources.count(path) == 3


def test_blocks_number_their_lines(tmp_path):
    path = tmp_path / "a.smi"
    n = sources.BLOCK_SIZE * 2 + 5
    path.write_text("C\n" * n)
    blocks = list(sources.blocks(path, ""))
    size = sources.BLOCK_SIZE
    assert [block.lines[0] for block in blocks] == [1, size + 1, 2 * size + 1]
    assert sum(len(block.smiles) for block in blocks) == n


def test_qm9_is_in_the_package():
    path = sources.locate("qm9")
    lines = all_lines(path)
    assert len(lines) == 130_831
    assert [text for _, text in lines[:5]] == ["C", "N", "O", "C#C", "C#N"]
    assert path.stat().st_size < 2**20


@pytest.mark.parametrize("name", ["a.txt", "a", "a.parquet.gz", "a.smi.bz2"])
def test_an_unknown_format_is_refused(tmp_path, name):
    (tmp_path / name).write_text("C\n")
    with pytest.raises(InputError, match=r"\.smi, \.csv or \.parquet"):
        sources.locate(str(tmp_path / name))


@pytest.mark.parametrize("name", ["none.smi", ".", "qm10", ""])
def test_a_missing_file_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="a built-in library"):
        sources.locate(str(tmp_path / name) if name != "qm10" else name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.smi", b"\xff\xfe\x00"),
        ("a.smi.gz", b"not gzip"),
        ("a.parquet", b"not parquet"),
        ("a.csv.gz", gzip.compress(b"smiles\nC\n")[:-6]),
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
    with pytest.raises(InputError, match=r"library\.column: got 'smiles'"):
        all_lines(path)

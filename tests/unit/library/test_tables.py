"""Tables of values: any format, column and separator."""

import pyarrow as pa
import pytest
from pyarrow import parquet
from rdkit import Chem

from molloop.errors import InputError
from molloop.library.reading.options import Reading
from molloop.library.tables import rows_of


def numbers(path, value="ie_ev", **options):
    """Return SMILES and values of a table; nothing is None."""
    with rows_of(path, "table", (value,), reading=Reading.of(**options)) as table:
        return [
            (cells["smiles"], table.number(line, value, cells[value], 1e9, empty=-1.0))
            for line, cells in table
        ]


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.csv", "smiles,ie_ev\nCCO,10.48\nC |^1:0| x,\n", {}),
        (
            "a.csv",
            "Name;IE (eV);Canonical SMILES\na;10,48;CCO\nb;;C |^1:0|\n",
            {"value": "IE (eV)"},
        ),
        ("a.txt", "mol\tie ev\nCCO\t10,48\nC |^1:0|\tnan\n", {"column": "mol"}),
        ("a.csv", "CCO,10.48\nC |^1:0|,\n", {"value": "2"}),
        ("a.smi", "CCO 10.48\nC |^1:0| nan\n", {"value": "2"}),
    ],
)
def test_any_column_and_separator(tmp_path, name, text, options):
    (tmp_path / name).write_text(text)
    assert numbers(tmp_path / name, **options) == [("CCO", 10.48), ("C |^1:0|", -1.0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "smiles;id;ie_ev\n;;\nCCO;a;10,48\n ; ;\n\nC;;\n;;\n"),
        (
            "a.tsv",
            "inchi\tie_ev\n\t\nInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3\t10.48\n\t\nInChI=1S/CH4/h1H4\t\n",
        ),
        ("a.smi", "\nsmiles ie_ev\n\nCCO 10.48\nC\n\n"),
    ],
)
def test_rows_without_anything_are_none(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert numbers(tmp_path / name) == [("CCO", 10.48), ("C", -1.0)]


def test_a_parquet_an_sdf_and_inchi_are_tables_too(tmp_path):
    columns = {"smiles": ["CCO", "C"], "ie_ev": [10.48, None]}
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    expected = [("CCO", 10.48), ("C", -1.0)]
    assert numbers(tmp_path / "a.parquet") == expected
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(text)) for text in ("CCO", "C")]
    (tmp_path / "a.sdf").write_text(
        f"{blocks[0]}> <ie_ev>\n10.48\n\n$$$$\n{blocks[1]}> <mw>\n16\n\n$$$$\n"
    )
    assert numbers(tmp_path / "a.sdf") == expected
    (tmp_path / "a.tsv").write_text(
        "inchi\tie_ev\nInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3\t10,48\nInChI=1S/CH4/h1H4\t\n"
    )
    assert numbers(tmp_path / "a.tsv") == expected


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "smiles;ie_ev\nC;12,61\nN;10.07\n", "line 3, ie_ev: got '10.07'.*before, ','"),
        ("a.tsv", "smiles\tie_ev\nC\t12.61\nN\t10,07\n", "line 3, ie_ev: got '10,07'.*before, '.'"),
        ("a.csv", "smiles;ie_ev\nC;1,234,567\n", "got '1,234,567', expected a finite number"),
        ("a.csv", "smiles;ie_ev\nC;1.234,5\n", "got '1.234,5', expected a finite number"),
        ("a.csv", 'smiles,ie_ev\nC,"12,61"\n', "got '12,61', expected a finite number"),
        ("a.sdf", "x\n\n\n  1  0\nM  END\n$$$$\n", "Add ie_ev"),
        (
            "a.tsv",
            "inchi\tie_ev\nInChI=1S/xx\t1\n",
            "line 2: got 'InChI=1S/xx', expected an InChI. It is none: ",
        ),
    ],
)
def test_what_is_no_number_or_no_molecule_is_told(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        numbers(tmp_path / name)


def test_a_column_called_smiles_is_not_the_molecule_where_another_is(tmp_path):
    (tmp_path / "a.csv").write_text("smiles,cxsmiles,value\nCCO,CCO |^1:0|,1.5\n")
    reading = Reading.of(column="cxsmiles")
    with rows_of(tmp_path / "a.csv", "table", ("value",), None, reading=reading) as table:
        assert [cells["smiles"] for _, cells in table] == ["CCO |^1:0|"]

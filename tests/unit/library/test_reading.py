"""Files of molecules as chemists have them: what is understood, and what is read."""

import gzip
import io

import pyarrow as pa
import pytest
from pyarrow import parquet
from rdkit import Chem

from molloop.errors import InputError
from molloop.library import sources
from molloop.library.ingest import _key, build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.reading import opened, sdf
from molloop.library.reading.columns import places_of
from molloop.library.reading.look import look
from molloop.library.reading.options import Reading
from molloop.library.reading.parts import looks_like_molecule, part

SALT = "C[N+](C)(C)CC(=O)[O-]"


def read(path, content, **options):
    """Write a file; return its only block, and how it was understood."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reading = Reading.of(**options)
    [block] = sources.blocks([path], reading)
    assert block.faults == {}
    return block, str(look(path, reading))


FILES = {
    "zinc.smi": (
        "smiles zinc_id\nCCO ZINC1\nC ZINC2\n",
        [(2, "CCO", "ZINC1"), (3, "C", "ZINC2")],
        "SMILES in 'smiles', by its name; names in 'zinc_id'; parted by blanks, with a header",
    ),
    "plain.smi": (
        "CCO ethyl alcohol\nC\tmethane\n\nN\n",
        [(1, "CCO", "ethyl alcohol"), (2, "C", "methane"), (3, "", ""), (4, "N", "")],
        "SMILES in column 1, by what it holds; names in column 2; parted by blanks, "
        "without a header",
    ),
    "commas.smi": (
        "CCO ethanol, dry\nC methane, dry\n",
        [(1, "CCO", "ethanol, dry"), (2, "C", "methane, dry")],
        "SMILES in column 1, by what it holds; names in column 2; parted by blanks, "
        "without a header",
    ),
    "tabs.smiles": (
        "CCO\tethyl alcohol\nC\tmethane\n",
        [(1, "CCO", "ethyl alcohol"), (2, "C", "methane")],
        "SMILES in column 1, by what it holds; names in column 2; parted by tabs, without a header",
    ),
    "CID-SMILES": (
        f"1\tCC(=O)OC(CC(=O)[O-])C[N+](C)(C)C\n247\t{SALT}\n",
        [(1, "CC(=O)OC(CC(=O)[O-])C[N+](C)(C)C", "1"), (2, SALT, "247")],
        "SMILES in column 2, by what it holds; names in column 1; parted by tabs, without a header",
    ),
    "chembl_35_chemreps.txt": (
        "chembl_id\tcanonical_smiles\tstandard_inchi\tstandard_inchi_key\n"
        "CHEMBL545\tCCO\tInChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3\tLFQSCWFLJHTTHZ-UHFFFAOYSA-N\n",
        [(2, "CCO", "CHEMBL545")],
        "SMILES in 'canonical_smiles', by its name; names in 'chembl_id'; parted by tabs, "
        "with a header",
    ),
    "enamine.cxsmiles": (
        "smiles\tidnumber\tMW\nC[C@H](O)N |&1:1|\tZ1\t61.1\nCCO\tZ2\t46.1\n",
        [(2, "C[C@H](O)N |&1:1|", "Z1"), (3, "CCO", "Z2")],
        "SMILES in 'smiles', by its name; names in 'idnumber'; parted by tabs, with a header",
    ),
    "semicolons.csv": (
        "Name;SMILES;IE\nethanol;CCO;10,48\nmethane;C;12,61\n",
        [(2, "CCO", "ethanol"), (3, "C", "methane")],
        "SMILES in 'SMILES', by its name; names in 'Name'; parted by semicolons, with a header",
    ),
    "no_header.csv": (
        "CCO,10.48\nC,12.61\n",
        [(1, "CCO", ""), (2, "C", "")],
        "SMILES in column 1, by what it holds; names behind them, if any; parted by commas, "
        "without a header",
    ),
    "names.csv": (
        "methane;C\n2,4-D;OC(=O)COc1ccc(Cl)cc1Cl\n",
        [(1, "C", "methane"), (2, "OC(=O)COc1ccc(Cl)cc1Cl", "2,4-D")],
        "SMILES in column 2, by what it holds; names in column 1; parted by semicolons, "
        "without a header",
    ),
    "numbers.csv": (  # which are no names
        "10,48;CCO\n;C\n",
        [(1, "CCO", ""), (2, "C", "")],
        "SMILES in column 2, by what it holds; names behind them, if any; parted by semicolons, "
        "without a header",
    ),
    "quoted.tsv": (
        'id\tcanonical smiles\n"two\nlines"\tCCO\n"a\ttab"\t"C"\n',
        [(3, "CCO", "two\nlines"), (4, "C", "a\ttab")],
        "SMILES in 'canonical smiles', by its name; names in 'id'; parted by tabs, with a header",
    ),
    "excel.csv": (
        b"\xef\xbb\xbfSmiles,id\r\nCCO,a\r\nC,b\r\n",
        [(2, "CCO", "a"), (3, "C", "b")],
        "SMILES in 'Smiles', by its name; names in 'id'; parted by commas, with a header",
    ),
    "unicode.txt": (
        "smiles\tname\nCCO\t\u00c4thanol\n".encode("utf-16"),
        [(2, "CCO", "\u00c4thanol")],
        "SMILES in 'smiles', by its name; names in 'name'; parted by tabs, with a header",
    ),
    "inchi.csv": (
        'inchi,name\n"InChI=1S/CH4/h1H4",methane\n"InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3",ethanol\n',
        [(2, "InChI=1S/CH4/h1H4", "methane"), (3, "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", "ethanol")],
        "InChI in 'inchi', by its name; names in 'name'; parted by commas, with a header",
    ),
    "inchi.txt": (
        "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3\nInChI=1S/C3H8O/c1-3(2)4/h3-4H,1-2H3\n",
        [
            (1, "InChI=1S/C2H6O/c1-2-3/h3H,2H2,1H3", ""),
            (2, "InChI=1S/C3H8O/c1-3(2)4/h3-4H,1-2H3", ""),
        ],
        "InChI in column 1, by what it holds; names in column 2; parted by blanks, "
        "without a header",
    ),
    "named_smiles.tsv": (  # a molecule that is called so
        "CCO\tsmiles\nC\tmethane\n",
        [(1, "CCO", "smiles"), (2, "C", "methane")],
        "SMILES in column 1, by what it holds; names in column 2; parted by tabs, without a header",
    ),
    "comments.csv": (
        "# made by hand, twice\n\n#\n\nSMILES,name\nCCO,a\n# C,b\n",
        [(6, "CCO", "a"), (7, "#", "b")],
        "SMILES in 'SMILES', by its name; names in 'name'; parted by commas, with a header; "
        "its first 3 lines left out",
    ),
    "comment.smi": (
        "# of C and CC\r\nCCO ethanol\r\nC #1\r\n",
        [(2, "CCO", "ethanol"), (3, "C", "#1")],
        "SMILES in column 1, by what it holds; names in column 2; parted by blanks, "
        "without a header; its first line left out",
    ),
    "numbered.tsv": (  # names of columns, and no comments
        "#\tsmiles\n1\tCCO\n",
        [(2, "CCO", "")],
        "SMILES in 'smiles', by its name; names behind them, if any; parted by tabs, with a header",
    ),
    "openeye.smi": (
        "#smiles id\nCCO a\n",
        [(2, "CCO", "a")],
        "SMILES in '#smiles', by its name; names in 'id'; parted by blanks, with a header",
    ),
    "names_in_a_comment.smi": (
        "# smiles name\nCCO ethanol\nCCN ethyl amine\n",
        [(2, "CCO", "ethanol"), (3, "CCN", "ethyl amine")],
        "SMILES in 'smiles', by its name; names in 'name'; parted by blanks, with a header",
    ),
    "id_first.smi": (
        "# SMILES id\nCCO C1CC1\nCCN N\n",
        [(2, "CCO", "C1CC1"), (3, "CCN", "N")],
        "SMILES in 'SMILES', by its name; names in 'id'; parted by blanks, with a header",
    ),
    "a_comment_of_smiles.smi": (
        "# smiles of my set\nCCO a\nCCN b\n",
        [(2, "CCO", "a"), (3, "CCN", "b")],
        "SMILES in column 1, by what it holds; names in column 2; parted by blanks, "
        "without a header; its first line left out",
    ),
    "made_by_a_tool.csv": (
        "# exported by tool: smiles, name, mw\nsmiles,name,mw\nCCO,a,46\n",
        [(3, "CCO", "a")],
        "SMILES in 'smiles', by its name; names in 'name'; parted by commas, with a header; "
        "its first line left out",
    ),
    "empty_comment.csv": (
        "#\r\n# made\r\nsmiles,name\r\nCCO,a\r\n",
        [(4, "CCO", "a")],
        "SMILES in 'smiles', by its name; names in 'name'; parted by commas, with a header; "
        "its first 2 lines left out",
    ),
    "labels.csv": (  # no names
        "CCO,active\nCCN,inactive\nCCC,active\n",
        [(1, "CCO", ""), (2, "CCN", ""), (3, "CCC", "")],
        "SMILES in column 1, by what it holds; names behind them, if any; parted by commas, "
        "without a header",
    ),
    "measured.csv": (
        "CCO,<3\nCCN,-5 eV\n",
        [(1, "CCO", ""), (2, "CCN", "")],
        "SMILES in column 1, by what it holds; names behind them, if any; parted by commas, "
        "without a header",
    ),
    "for_excel.csv": (
        "\ufeffsep=|\r\nsmiles|name\r\nCCO|a;b,c\r\n",
        [(3, "CCO", "a;b,c")],
        "SMILES in 'smiles', by its name; names in 'name'; parted by '|', with a header; "
        "its first line left out",
    ),
    "windows.csv": (  # as Excel writes it in Europe
        "SMILES;Name;IE\r\nCCO;\u00c4thanol 5 \u00b5l \u2013 \u20ac;10,5\r\n".encode("cp1252"),
        [(2, "CCO", "\u00c4thanol 5 \u00b5l \u2013 \u20ac")],
        "SMILES in 'SMILES', by its name; names in 'Name'; parted by semicolons, with a header; "
        "not UTF-8, read as Windows-1252",
    ),
    "one_column.csv": (
        "isosmiles\nC[C@H](N)O |o1:1| alanine-like\nCCO\n",
        [(2, "C[C@H](N)O |o1:1|", "alanine-like"), (3, "CCO", "")],
        "SMILES in 'isosmiles', by its name; names behind them, if any; one column, with a header",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_data_bases_and_of_spreadsheets(tmp_path, name):
    content, rows, told = FILES[name]
    block, said = read(tmp_path / name, content)
    assert list(zip(block.lines, block.texts, block.names, strict=True)) == rows
    assert said == told
    assert block.kind == ("inchi" if name.startswith("inchi") else "smiles")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("CCO |^1:0| the radical", ("CCO |^1:0|", "the radical")),
        ("CCO\t|^1:0|", ("CCO |^1:0|", "")),
        ("  CCO  two words ", ("CCO", "two words")),
        ("CCO |an open name", ("CCO", "|an open name")),
        ("CCO |^1:0|name", ("CCO |^1:0|", "name")),
        ("CCO |^1:0", ("CCO |^1:0", "")),
        ("CCO |x|name", ("CCO", "|x|name")),
        ("C* |$;R 1$,atomProp:0.a.b c| x", ("C* |$;R 1$,atomProp:0.a.b c|", "x")),
        ("", ("", "")),
        ("C\nQ", ("C\nQ", "")),
    ],
)
def test_an_extension_belongs_to_the_smiles_and_the_name_stands_behind(text, parts):
    assert part(text) == parts


def test_an_extension_that_does_not_end_is_refused(tmp_path):
    """Its radical would be ethanol, in silence."""
    path = tmp_path / "a.smi"
    path.write_text("CCO |^1:0\nCCO\n")
    built = build(Files.of([str(path)], "smiles"), tmp_path / "library", BuildSpec())
    assert built.n_molecules == 1
    assert built.manifest.counts.invalid == 1


def test_a_line_of_words_with_an_extension(tmp_path):
    block, _ = read(tmp_path / "a.smi", "id smiles mw\n1 CCO |^1:0| 46.1\n2 C\n", keep_columns="mw")
    assert block.texts == ["CCO |^1:0|", "C"]
    assert (block.names, block.kept) == (["1", "2"], {"mw": ["46.1", ""]})


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        *(("CCO", True), ("[CH2]CO", True), ("C1CC", True), ("C(C)(C)(C)(C)C", True)),
        *(("InChI=1S/CH4/h1H4", True), ("smiles", False), ("structure", False), ("", False)),
        *(("46.1", False), ("ZINC1", False), ("CCO ethanol", False), ("compound", False)),
    ],
)
def test_the_form_of_a_molecule(text, is_one):
    assert looks_like_molecule(text) is is_one


def test_columns_that_are_asked_for(tmp_path):
    text = "Structure;Code;MW;Vendor\nCCO;a;46,1;x\nC;b;16,0;y\n"
    block, said = read(
        tmp_path / "a.csv", text, column="structure", name_column="2", keep_columns="mw,Vendor"
    )
    assert (block.texts, block.names) == (["CCO", "C"], ["a", "b"])
    assert block.kept == {"mw": ["46,1", "16,0"], "Vendor": ["x", "y"]}
    assert said == (
        "SMILES in 'Structure', as asked; names in 'Code'; kept: 'MW', 'Vendor'; "
        "parted by semicolons, with a header"
    )


def test_a_separator_that_is_said(tmp_path):
    block, said = read(tmp_path / "a.txt", "smiles|note\nCCO|a b\n", separator="|")
    assert (block.texts, said) == (
        ["CCO"],
        "SMILES in 'smiles', by its name; names behind them, if any; parted by '|', with a header",
    )
    for word, sign in (
        ("semicolon", ";"),
        ("Tab", "\t"),
        (r"\t", "\t"),
        ("blank", " "),
        (";", ";"),
    ):
        assert Reading.of(separator=word).separator == sign
    with pytest.raises(InputError, match=r"separator: got 'and', expected comma, semicolon, tab"):
        Reading.of(separator="and")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04rest", "a zip archive or a spreadsheet"),
        (gzip.compress(b"%PDF-1.7", mtime=0), "a PDF"),
    ],
)
def test_what_is_of_another_kind_is_told(tmp_path, content, kind):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"a\\.csv', expected a text.*It is {kind}: unpack it, or"):
        look(tmp_path / "a.csv", Reading())


def test_comments_alone_are_no_molecules(tmp_path):
    (tmp_path / "a.smi").write_text("# one\n# two\n")
    with pytest.raises(InputError, match="It is empty: leave it out"):
        list(sources.blocks([tmp_path / "a.smi"]))


@pytest.mark.parametrize("options", [{}, {"column": 1}, {"no_header": True}])
def test_no_table_loses_its_first_molecule(tmp_path, options):
    block, _ = read(tmp_path / "a.csv", "CCO,a\nC,b\n", **options)
    assert block.texts == ["CCO", "C"]


def test_a_damaged_first_molecule_is_no_name(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("C1CC,a\nC,b\n")
    [block] = sources.blocks([path], Reading())
    assert block.texts == ["C1CC", "C"]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (
            "structure,code\nCCO,a\nC,b\n",
            {},
            "column: is missing, expected the column of SMILES in .*'structure', 'code'; "
            "the second line has 'CCO', 'a'; the third line has 'C', 'b'. If it is "
            "column 1, name it by `--column 1`, its name or number; or call it smiles. If there is "
            "no line of names, `--no-header`",
        ),
        ("a,b\n1,2\n", {}, "the column of SMILES in .*'a', 'b'"),
        (
            "a,b\n1,\n3\n4,5\n",
            {},
            "whose first line has 'a', 'b'; the second line has '1', ''; the third line has "
            "another number of cells. If",
        ),
        ("smiles,n\nC,1\n", {"column": "mol"}, "column: got 'mol', expected a column of .*'n'"),
        ("smiles,n\nC,1\n", {"column": 3}, "column: got '3', expected a column of .*'smiles', 'n'"),
        ("C,1\nN,2\n", {"column": "smiles"}, "holds a molecule, and no names: `--column 1`"),
        ("smiles,n\nC,1\n", {"name_column": "id"}, "column: got 'id', expected a column of"),
        ("smiles,n\nC,1\n", {"keep_columns": "mw"}, "column: got 'mw', expected a column of"),
        ("smiles_a,smiles_b\nC,N\n", {}, "one column of SMILES in .*'smiles_a', 'smiles_b'"),
        ("SMILES,smiles\nC,N\n", {}, "one column of SMILES in .*'SMILES', 'smiles'"),
        ("smiles,n,n\nC,1,2\n", {"keep_columns": "n"}, "a name that .* has once"),
    ],
)
def test_what_is_not_clear_is_asked_for(tmp_path, text, options, words):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        look(path, Reading.of(**options))


def test_the_form_of_a_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    columns = {"Compound ID": [7, 8], "SMILES": ["CCO |^1:0|", None], "mw": [46.5, None]}
    parquet.write_table(pa.table(columns), path)
    reading = Reading.of(name_column="compound_id", keep_columns=["mw"])
    [block] = sources.blocks([path], reading)
    assert (block.texts, block.names) == (["CCO |^1:0|", ""], ["7", "8"])
    assert block.kept == {"mw": ["46.5", ""]}
    assert str(look(path, reading)) == (
        "SMILES in 'SMILES', by its name; names in 'Compound ID'; kept: 'mw'; Parquet"
    )
    parquet.write_table(pa.table(columns).drop_columns("SMILES"), path)
    with pytest.raises(InputError, match=r"column: is missing.*'Compound ID', 'mw'"):
        look(path, Reading())


def parquet_of(path, names, *columns):
    parquet.write_table(pa.Table.from_arrays(list(map(pa.array, columns)), names=names), path)
    return path


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["smiles", "x", "x"], {}),
        (["x", "x", "x"], {"column": 1}),
        (["", "", "n"], {"column": 1}),
        (["a", "a.b", "a.c"], {"column": "a"}),  # to pyarrow, `a` is a name of all three
    ],
)
def test_columns_of_a_parquet_that_are_called_alike(tmp_path, names, options):
    path = parquet_of(tmp_path / "a.parquet", names, ["CCO", "C"], ["p", "q"], [1.5, None])
    block, _ = read(path, path.read_bytes(), keep_columns="2,3", **options)
    assert (block.texts, block.kept) == (["CCO", "C"], {"2": ["p", "q"], "3": ["1.5", ""]})


def test_columns_of_any_kind_of_a_parquet(tmp_path):
    texts = pa.array(["CCO", "C", None])
    for kind in (texts.dictionary_encode(), texts.cast("string_view"), texts.cast("binary")):
        path = parquet_of(tmp_path / "a.parquet", ["smiles", "name"], kind, pa.nulls(3))
        block, _ = read(path, path.read_bytes(), keep_columns="name")
        assert (block.texts, block.names) == (["CCO", "C", ""], ["", "", ""])
        assert block.kept == {"name": ["", "", ""]}
    others = [[1, 2], [], None], [{"k": 1}, None, {"k": 2}], [b"x\xff", None, b"y"]
    path = parquet_of(tmp_path / "a.parquet", ["smiles", "list", "struct", "bytes"], texts, *others)
    block, _ = read(path, path.read_bytes(), keep_columns="list,struct,bytes")
    assert block.kept == {
        "list": ["[1, 2]", "[]", ""],
        "struct": ["{'k': 1}", "", "{'k': 2}"],
        "bytes": ["x\ufffd", "", "y"],
    }


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pa.nulls(1), "null"),
        ([["CCO"]], "list<element: string>"),
        ([{"smiles": "CCO"}], "struct<smiles: string>"),
        (pa.array([7]).dictionary_encode(), "int64"),
    ],
)
def test_a_column_of_a_parquet_that_holds_no_text_is_told(tmp_path, cells, kind):
    path = parquet_of(tmp_path / "a.parquet", ["smiles"], cells)
    with pytest.raises(InputError, match=f"expected a column of text in .*It holds {kind}: name"):
        look(path, Reading())


def records(*texts, v3000=False):
    """Return an SDF of some SMILES, each named by its number, with two data items."""
    parts = []
    for number, text in enumerate(texts, start=1):
        molecule = Chem.MolFromSmiles(text)
        molecule.SetProp("_Name", f"mol {number}")
        block = Chem.MolToMolBlock(molecule, forceV3000=v3000)
        parts.append(f"{block}>  <mw>\n{number}.5\n\n> <note> (1)\ntwo\nlines\n\n$$$$\n")
    return "".join(parts)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("v3000", [False, True])
def test_records_of_an_sdf(tmp_path, v3000, end):
    text = records("CCO", "C", v3000=v3000).replace("\n", end)
    first_lines = [1, text.split(f"$$$${end}")[0].count(end) + 2]
    block, said = read(tmp_path / "a.sdf", text, keep_columns="mw,note")
    assert block.kind == "molblock"
    found = [Chem.MolToSmiles(Chem.MolFromMolBlock(one)) for one in block.texts]
    assert (found, block.names, block.lines) == (["CCO", "C"], ["mol 1", "mol 2"], first_lines)
    assert block.kept == {"mw": ["1.5", "2.5"], "note": ["two\nlines"] * 2}
    assert said == "molfiles; names are the titles; kept: 'mw', 'note'; an SDF"
    block, _ = read(tmp_path / "named.txt", text, name_column="mw")
    assert block.names == ["1.5", "2.5"]
    with pytest.raises(InputError, match=r"'logp', expected a column of .*'mw', 'note'"):
        look(tmp_path / "a.sdf", Reading.of(keep_columns="logp"))


def test_a_record_is_as_rdkit_reads_it(tmp_path):
    text = records("c1ccccc1", "[Na+].[Cl-]", "C[C@H](N)C(=O)O")
    block, _ = read(tmp_path / "a.sdf", text)
    supplier = Chem.SDMolSupplier()
    supplier.SetData(text)
    expected = [Chem.MolToSmiles(one) for one in supplier]
    assert [Chem.MolToSmiles(Chem.MolFromMolBlock(one)) for one in block.texts] == expected


def test_what_is_no_record_says_why_and_the_others_are_read(tmp_path):
    first, second = records("CCO"), records("C")
    path = tmp_path / "a.sdf"
    path.write_text(f"{first}no molfile\n\n\nhere\n$$$$\n\n$$$$\n{second}")
    [block] = sources.blocks([path], Reading())
    n = first.count("\n")
    assert block.faults == {n + 1: sdf.NO_END, n + 6: sdf.EMPTY}
    assert [bool(text) for text in block.texts] == [True, False, False, True]


def test_records_are_numbered_by_their_lines_however_long_they_are(monkeypatch):
    monkeypatch.setattr(sdf, "CHUNK", 7)
    monkeypatch.setattr(sdf, "MAX_RECORD", 50)
    text = "a\nb\n$$$$\n" + "long line\n" * 30 + "$$$$\n\n\nc\n$$$$ \nd"
    found = list(sdf.records_of(io.StringIO(text)))
    assert [line for line, _ in found] == [1, 4, 35, 39]
    assert [record for _, record in found][2:] == ["\n\nc\n", "d\n"]
    assert len(found[1][1]) <= 50 + 7


def test_a_line_without_an_end_is_told_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(opened, "MAX_LINE", 100)
    path = tmp_path / "a.smi"
    path.write_text("CCO\n" + "C" * 200 + "\n")
    with pytest.raises(InputError, match=r"a\.smi, line 2: got 'CCCCC.*fewer than 100 characters"):
        list(sources.blocks([path], Reading()))


def test_blocks_are_bounded_by_what_they_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_CHARACTERS", 1000)
    path = tmp_path / "a.smi"
    path.write_text("".join(f"C {'n' * 300}\n" for _ in range(10)))
    assert [len(block.texts) for block in sources.blocks([path], Reading())] == [4, 4, 2]


def test_what_decides_how_files_are_read_is_a_part_of_the_key(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,n\nC,1\n")
    plain = Files.of([str(path)]).options
    assert plain == {
        "column": None,
        "name_column": None,
        "keep_columns": None,
        "separator": None,
        "no_header": None,
        "formats": f"text {sources.TEXT_VERSION} ('smiles', 0, None, (), ',', True, 0)",
    }
    for options in ({"keep_columns": "n"}, {"column": 1}, {"name_column": "n"}):
        assert Files.of([str(path)], Reading.of(**options)).options != plain


@pytest.mark.parametrize(
    ("wanted", "columns", "places"),
    [
        ("canonical smiles", ["id", "Canonical_SMILES"], [1]),
        ("\u6cb8\u70b9", ["smiles", "\u878d\u70b9"], []),
        ("pKa(+)", ["pKa(-)"], []),
        ("1", ["C", "-1"], [0]),
        ("mol-id", ["mol id", "molid"], [0, 1]),
    ],
)
def test_only_joints_of_words_do_not_count_in_a_name(wanted, columns, places):
    assert places_of(wanted, columns) == places


def entries(tmp_path, name, text, **options):
    (tmp_path / name).write_text(text)
    blocks = Files.of([str(tmp_path / name)], Reading.of(**options)).blocks()
    return [pair for one in blocks for pair in zip(one.texts, one.names, strict=True)]


@pytest.mark.parametrize(
    ("name", "text", "options", "expected"),
    [
        ("a.smi", "CCO\t|^1:0|\tx\nCC\ty\t\n", {}, [("CCO |^1:0|", "x"), ("CC", "y")]),
        (
            "a.tsv",
            "smiles\tcx\tid\nCCO\t|^1:0|\tx\nCC\t\ty\n",
            {},
            [("CCO |^1:0|", "x"), ("CC", "y")],
        ),
        (
            "a.tsv",
            "smiles\tnote\tid\nC\t|$R$|\tx\nC\t||\ty\nC\t|r|\tz\nC\t|q|\t\n",
            {},
            [("C |$R$|", "x"), ("C", "y"), ("C |r|", "z"), ("C", "")],
        ),
        ("a.csv", "CCO,1\nCCC,2\n", {"column": "1"}, [("CCO", ""), ("CCC", "")]),
        ("a.csv", "CCO,3,CO\nCCC,4,CN\n", {"column": "3"}, [("CO", ""), ("CN", "")]),
        ("a.csv", "x,2,smi\nCCO,CO,C\n", {"column": "2"}, [("CO", "")]),
        ("a.csv", "2,mol,x\nCCO,CO,C\n", {"column": "2"}, [("CCO", "")]),
        ("a.csv", "mol,x,1\nCCO,CO,C\n", {"column": "1"}, [("C", "")]),
        ("a.smi", "smiles\nCCO ethanol\nCC\n", {}, [("CCO", "ethanol"), ("CC", "")]),
    ],
)
def test_nothing_of_a_line_is_lost_or_taken_for_something_else(
    tmp_path, name, text, options, expected
):
    assert entries(tmp_path, name, text, **options) == expected


def test_each_understanding_of_a_file_is_a_library_of_its_own(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,mol;x,note\nCCO,CC;N,1\nCO,CN;O,2\n")
    understandings = (
        {"name_column": "note"},
        {"keep_columns": "note"},
        {"column": "2", "separator": ","},
        {"column": "2", "separator": ";"},
        {"column": "1", "no_header": True},
        {},
    )
    specs = (BuildSpec(fragments="largest"), BuildSpec(same_as="no-stereo"))
    readings = [Files.of([str(path)], Reading.of(**one)) for one in understandings]
    keys = [_key(one, BuildSpec()) for one in readings]
    keys += [_key(readings[-1], one) for one in specs]
    assert len(set(keys)) == len(keys) == 8
    assert _key(Files.of([str(path)]), BuildSpec()) == keys[5]
    # a build of one is not gone on with, nor taken, by another
    folder = tmp_path / "library"
    build(readings[-1], folder, BuildSpec())
    with pytest.raises(InputError, match="a library of other files, options or versions"):
        build(readings[0], folder, BuildSpec())


def test_the_same_file_read_otherwise_is_another_library(tmp_path):
    text = "CCO a,1\nCCC b,2\n"
    assert entries(tmp_path, "m.csv", text) != entries(tmp_path, "m.smi", text)
    keys = [
        _key(Files.of([str(tmp_path / name)]), BuildSpec()) for name in ("m.csv", "m.smi", "m.csv")
    ]
    assert (keys[0] == keys[1], keys[0] == keys[2]) == (False, True)


def test_names_in_a_comment_may_be_asked_for(tmp_path):
    content = "# id,structure,name\n1,CCO,eth\n2,CCN,amine\n"
    block, said = read(tmp_path / "a.csv", content, column="structure", name_column="name")
    assert (block.texts, block.names) == (["CCO", "CCN"], ["eth", "amine"])
    assert said.startswith("SMILES in 'structure', as asked; names in 'name'; parted by commas")


def test_comments_that_hide_the_table_are_told(tmp_path):
    (tmp_path / "a.csv").write_text("# of many\n" * 20_000 + "smiles,name\nCCO,a\n")
    with pytest.raises(InputError, match="All of these lines are comments: remove them"):
        look(tmp_path / "a.csv", Reading())


WATER = "3\n{}\nO 0.000 0.000 0.119\nH 0.000 0.763 -0.477\nH 0.000 -0.763 -0.477\n"


@pytest.mark.parametrize("name", ["water.xyz", "water.smi", "water.txt", "water.csv"])
@pytest.mark.parametrize(
    "text",
    [
        WATER.format(""),
        WATER.format("water"),
        WATER.format('Properties=species:S:1:pos:R:3 pbc="F F F"').replace("\n", "\r\n"),
        " 1\n\n  8   0   0   0\n",
        "2\nC\nC 0 0 0 0.1 0.2\nO 1.1e0 0 0 0.1 0.2\n" * 2,
    ],
)
def test_an_xyz_file_is_refused_and_told_what_is_read(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, newline="")
    with pytest.raises(InputError, match=r"an \.xyz file, which says no bonds") as caught:
        look(path, Reading())
    told = str(caught.value)
    assert "a text with SMILES or InChI, a table, an SDF or a .parquet" in told
    assert f"obabel -ixyz {path} -osdf" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "text", ["C 1\nN 2\nO 0 0 0\n", "O 0 0 0\nC 0 0 1\nN 1 1 1\n", "1\nwater\nO water\n"]
)
def test_smiles_are_taken_for_no_xyz_file(tmp_path, text):
    path = tmp_path / "a.smi"
    path.write_text(text)
    assert "O" in [one for block in sources.blocks([path]) for one in block.texts]


@pytest.mark.parametrize(
    "name",
    [
        # as their vendors and databases write it
        *("zinc_id", "ZINC_ID", "idnumber", "Catalog ID", "CatalogId", "MOLPORTID", "MolPort Id"),
        *("CHEMSPACE_ID", "version_id", "PUBCHEM_COMPOUND_CID", "CID", "chembl_id", "ChEMBL ID"),
        *("molecule_chembl_id", "Molecule ChEMBL ID", "mcule_id", "Enamine_ID"),
    ],
)
def test_names_of_vendors_are_names_of_molecules(tmp_path, name):
    path = tmp_path / "a.tsv"
    path.write_text(f"SMILES_CANONICAL\tmw\t{name}\nCCO\t46.07\tX-1\nC\t16.04\tX-2\n")
    [block] = sources.blocks([path])
    assert (block.texts, block.names) == (["CCO", "C"], ["X-1", "X-2"])

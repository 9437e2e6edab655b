import gzip
from dataclasses import replace

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

from molloop.errors import InputError
from molloop.goal import Flagged, Objective, Quantity
from molloop.replay.durations import draw_durations, is_distribution
from molloop.replay.table import open_table

TEXT = """smiles,gap,seconds
CCO,1.5,10
OCC,9.0,90
C,,20
bad,7,70
N,2.5,30
"""


def table_of(tmp_path, text=TEXT, name="a.csv", **options):
    path = tmp_path / name
    with (gzip.open if name.endswith(".gz") else open)(path, "wt") as file:
        file.write(text)
    return open_table(str(path), tmp_path / "cache", **{"column": "gap", **options})


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_the_first_of_equal_molecules_counts_and_a_cell_may_be_empty(tmp_path, name):
    table = table_of(tmp_path, name=name, durations="seconds")
    assert [table.library.smiles(key) for key in range(3)] == ["CCO", "C", "N"]
    assert table.values[[0, 2]].tolist() == [1.5, 2.5]
    assert np.isnan(table.values[1])
    assert table.durations_s.tolist() == [10, 20, 30]


def test_flags_are_those_of_the_row_whose_value_counts(tmp_path):
    text = "smiles,gap,flags\nCCO,,a\nOCC,9.0,b c\nC,1.0,\nN,2.5,d\nN,3.5,e\n"
    table = table_of(tmp_path, text)
    assert table.flags == {0: ("b", "c"), 2: ("d",)}
    assert table_of(tmp_path).flags == {}


def test_what_may_be_the_best_is_as_the_flags_say(tmp_path):
    text = "smiles,gap,flags\nCCO,9.0,not_converged\nC,1.0,\nN,2.5,anion_not_bound\n"
    table = table_of(tmp_path, text)
    ie, other = (Objective(Quantity("gap", "gap"), recipe=recipe) for recipe in ("ie", ""))
    assert np.isnan(table.best_of(ie)).tolist() == [True, False, False]
    assert np.isnan(table.best_of(other)).tolist() == [True, False, True]
    keeps = replace(other, flagged=Flagged.KEEP)
    assert table.best_of(keeps).tolist() == table.values.tolist() == [9.0, 1.0, 2.5]
    flagged = replace(table, flags=dict.fromkeys(range(3), ("a",)))
    with pytest.raises(InputError, match="on which no flag casts doubt"):
        flagged.best_of(ie)


def test_a_quoted_cell_of_two_lines_is_a_cell(tmp_path):
    text = 'smiles,name,gap\nCCO,"two\nlines",1.5\nC,"a, b",2.5\nN,x,3.5\n'
    table = table_of(tmp_path, text)
    assert table.values.tolist() == [1.5, 2.5, 3.5]


def records(*smiles):
    """Return an SDF with a value each, in space, so that texts and SMILES differ."""
    parts = []
    for number, text in enumerate(smiles):
        molecule = Chem.AddHs(Chem.MolFromSmiles(text))
        rdDistGeom.EmbedMolecule(molecule, randomSeed=1)
        parts.append(f"{Chem.MolToMolBlock(molecule)}> <gap>\n{number}.5\n\n$$$$\n")
    return "".join(parts)


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("a.csv", "Name;SMILES;gap\na;CCO;1,5\nb;CCO |^1:0|;2,5\nc;OCC;9,0\n", [1.5, 2.5]),
        ("a.smi", "CCO 1.5\nC 2.5\n", [1.5, 2.5]),
        ("a.tsv", "gap\tinchi\n1,5\tInChI=1S/CH4/h1H4\n2,5\tInChI=1S/H2O/h1H2\n", [1.5, 2.5]),
        ("a.sdf", records("CCO", "C[C@H](N)C(=O)O", "OCC"), [0.5, 1.5]),
    ],
)
def test_tables_of_any_kind(tmp_path, name, text, values):
    column = "2" if name == "a.smi" else "gap"
    assert table_of(tmp_path, text, name, column=column).values.tolist() == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smiles,gap,level,fidelity\nC,1,gfn1,relaxed\nN,2,gfn1,relaxed\n", ("gfn1", "relaxed")),
        ("smiles,gap,level\nC,1,gfn1\nN,2,gfn1\n", ("gfn1", "")),
        ("smiles,gap,level\nC,1,\nN,2,\n", ("", "")),
        (TEXT, ("", "")),
    ],
)
def test_a_table_may_say_how_its_values_were_computed(tmp_path, text, said):
    table = table_of(tmp_path, text)
    assert (table.level, table.fidelity) == said


def test_durations_may_be_drawn(tmp_path):
    assert table_of(tmp_path).durations_s.tolist() == [1, 1, 1]
    drawn = [table_of(tmp_path, durations="exponential:5", seed=seed) for seed in (1, 1, 2)]
    assert drawn[0].durations_s.tolist() == drawn[1].durations_s.tolist()
    assert drawn[0].durations_s.tolist() != drawn[2].durations_s.tolist()


def test_distributions_have_the_moments_that_they_name():
    rng = np.random.default_rng(0)
    assert draw_durations("constant:3", 2, rng).tolist() == [3, 3]
    uniform = draw_durations("uniform:2,4", 100_000, rng)
    assert (uniform.min(), uniform.max()) == pytest.approx((2, 4), abs=1e-3)
    assert draw_durations("exponential:7", 100_000, rng).mean() == pytest.approx(7, rel=0.02)
    lognormal = draw_durations("lognormal:10,0.5", 100_000, rng)
    assert np.median(lognormal) == pytest.approx(10, rel=0.02)
    # the mean of a lognormal distribution is median x exp(sigma^2 / 2)
    assert lognormal.mean() == pytest.approx(11.33, rel=0.02)


@pytest.mark.parametrize(
    "text", ["constant:0", "constant:x", "uniform:2", "uniform:3,2", "lognormal:1,-1", "normal:1"]
)
def test_what_is_no_distribution_is_told(text):
    with pytest.raises(InputError, match="lognormal:MEDIAN,SIGMA"):
        draw_durations(text, 1, np.random.default_rng(0))


def test_a_column_is_no_distribution():
    assert is_distribution("constant:1")
    assert not is_distribution("constant")
    assert not is_distribution("time: s")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (TEXT, {"column": "homo"}, "homo"),
        (TEXT, {"durations": "minutes"}, "minutes"),
        (TEXT.replace("1.5", "one"), {}, "line 2, gap: got 'one', expected a finite number"),
        (TEXT.replace("1.5", "inf"), {}, "1e\\+100"),
        ("smiles,gap\nC,1\nN,\n", {}, "two values"),
        ("smiles,gap\nC,1\nN,2\n", {"durations": "gap2"}, "gap2"),
        ("name,gap\nC,1\n", {}, "smiles"),
        (TEXT.replace("10\n", "-1\n"), {"durations": "seconds"}, "number of seconds"),
        (TEXT.replace("10\n", "\n"), {"durations": "seconds"}, "number of seconds"),
        ("", {}, "columns"),
        (TEXT, {"column": "smiles"}, "column of numbers"),
        (TEXT, {"durations": "smiles"}, "column of numbers"),
        (TEXT.replace("10\n", "1e20\n"), {"durations": "seconds"}, "at most"),
        (TEXT.replace("1.5", "1_5"), {}, "line 2, gap.*'1_5'"),
        (TEXT.replace("1.5", "1,5"), {}, "line 2.*cells: 4, in the header: 3"),
        (TEXT.replace("seconds", "gap"), {}, "'gap', expected each name once"),
        ("CCO,1.5\nC,2.5\n", {}, "Add smiles and gap"),
        ("smiles,gap,level\nC,1,gfn2\nN,2,ipea1\n", {}, "line 3, level: got 'ipea1'.*'gfn2'"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, text, options, words):
    with pytest.raises(InputError, match=words):
        table_of(tmp_path, text, **options)


@pytest.mark.parametrize("name", ["nowhere.csv", "qm9", "."])
def test_what_is_no_table_is_told(tmp_path, name):
    with pytest.raises(InputError, match="qm9-ie-20k"):
        open_table(str(tmp_path / name), tmp_path / "cache")


STAGES = """smiles,ie_ev_gfn2,cpu_s_gfn2,ie_ev_x_1,cpu_s_x_1,w_gfn2,w_x_1
CCO,14.5,0.1,10.5,20,1,4
C,,0.2,,30,2,5
N,12.5,0.3,9.5,40,3,6
CO,13.5,0.3,,50,3,7
"""
LADDER = ("gfn2", "X / 1")


def test_a_table_has_two_columns_a_stage(tmp_path):
    table = table_of(tmp_path, STAGES, column="ie_ev", stages=LADDER)
    assert table.stages == LADDER
    (below, seconds), (values, durations_s) = table.of_stages
    assert below[[0, 2, 3]].tolist() == [14.5, 12.5, 13.5]
    assert seconds.tolist() == [0.1, 0.2, 0.3, 0.3]
    assert values[[0, 2]].tolist() == [10.5, 9.5]
    assert np.isnan(values[[1, 3]]).all()
    assert table.durations_s is durations_s
    weighed = table_of(tmp_path, STAGES, column="ie_ev", durations="w", stages=LADDER)
    assert [one.tolist() for _, one in weighed.of_stages] == [[1, 2, 3, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"durations": "constant:1"}, "Each stage has a column of its own"),
        ({"durations": "t"}, "t_gfn2"),
        ({"stages": ("gfn2", "ipea1")}, "ie_ev_ipea1"),
    ],
)
def test_what_a_table_of_stages_lacks_is_told(tmp_path, options, words):
    with pytest.raises(InputError) as caught:
        table_of(tmp_path, STAGES, **{"column": "ie_ev", "stages": LADDER, **options})
    assert words in str(caught.value)

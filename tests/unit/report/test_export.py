"""Exports, read back with the programs that they are for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ase.db import connect
from ase.io import read
from rdkit import Chem

from molloop.campaign.jobs import Simulated
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.goal import OTHER_COLUMNS, Flagged
from molloop.molecule import Geometry
from molloop.report.export import EXPORT_FORMATS, Exported, export
from molloop.results import Results
from molloop.simulate.outcome import Failure, Success

PLACES = np.array([[0.0, 0.0, 0.1], [0.7, 0.0, -0.5], [-0.7, 0.0, -0.5]])


def water(value, *flags):
    geometry = Geometry(np.array([8, 1, 1], dtype="u1"), PLACES + value)
    return Success({"ie": value}, {}, {"molecule": geometry}, flags, 0.5)


def simulated(number, outcome, smiles="O"):
    times_s = (1.5 * number, "n1", 0.0, 1.0)
    return Simulated(number, 10 + number, "gfn2", smiles, number // 2, *times_s, outcome)


def results(*outcomes):
    settings = Settings()
    found = tuple(simulated(number, one) for number, one in enumerate(outcomes))
    objective = replace(settings.objective(), flagged=Flagged.KEEP)
    return Results(objective, settings.protocol(), (), (), found)


SOME = results(water(18.25), Failure("scf", 'no, "convergence"'), water(19.5, "a", "b"))


def test_a_frame_has_a_row_an_outcome():
    frame = SOME.frame()
    assert frame.index.tolist() == [10, 11, 12]
    assert frame["ie_ev"].dtype == "float64"
    assert frame["ie_ev"].tolist()[::2] == [18.25, 19.5]
    assert np.isnan(frame["ie_ev"].iloc[1])
    assert frame["failure"].tolist() == ["", "scf", ""]
    assert frame["flags"].tolist() == ["", "", "a b"]
    assert frame["batch"].tolist() == [0, 0, 1]
    assert frame["time_s"].tolist() == [0.0, 1.5, 3.0]


def test_a_property_can_have_none_of_the_other_columns():
    frame = SOME.frame(geometries=True)
    assert {frame.index.name, *frame.columns} - {"ie_ev"} == OTHER_COLUMNS


def test_a_run_without_outcomes_has_an_empty_frame():
    assert list(results().frame(geometries=True).columns)[-1] == "positions_angstrom"
    assert len(results().frame()) == 0


def test_csv_reads_back_with_pandas(tmp_path):
    assert export(SOME, "csv", tmp_path / "a.csv") == Exported(3)
    frame = pd.read_csv(tmp_path / "a.csv", index_col="molecule_id", keep_default_na=True)
    assert frame["ie_ev"].tolist()[::2] == [18.25, 19.5]
    assert frame["message"].tolist()[1] == 'no, "convergence"'


def test_parquet_reads_back_with_pandas(tmp_path):
    assert export(SOME, "parquet", tmp_path / "a.parquet") == Exported(3)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert frame.index.name == "molecule_id"
    assert frame["numbers"].iloc[0].tolist() == [8, 1, 1]
    assert frame["numbers"].iloc[1] is None
    assert np.allclose(np.stack(frame["positions_angstrom"].iloc[2]), PLACES + 19.5)


@pytest.mark.parametrize("file_format", ["sdf", "extxyz", "ase-db"])
def test_structures_come_best_first(tmp_path, file_format):
    path = tmp_path / ("a.db" if file_format == "ase-db" else "a")
    assert export(SOME, file_format, path) == Exported(2)
    if file_format == "sdf":
        found = [
            (float(one.GetProp("ie_ev")), one.GetConformer().GetPositions())
            for one in Chem.SDMolSupplier(str(path), removeHs=False)
        ]
    elif file_format == "extxyz":
        found = [(one.info["ie_ev"], one.positions) for one in read(path, ":", format="extxyz")]
    else:
        with connect(path, type="db") as database:
            found = [(row.ie_ev, row.toatoms().positions) for row in database.select()]
    assert [value for value, _ in found] == [19.5, 18.25]
    for value, positions in found:
        assert np.allclose(positions, PLACES + value, atol=1e-4)


@pytest.mark.parametrize("file_format", EXPORT_FORMATS)
def test_a_file_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path, file_format):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "none" / "a"):
        with pytest.raises(InputError, match="file to write"):
            export(SOME, file_format, path)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_a_format_that_is_none_is_told(tmp_path):
    with pytest.raises(InputError, match="csv, parquet, sdf, extxyz, ase-db"):
        export(SOME, "pdf", tmp_path / "a")


@pytest.mark.parametrize(
    ("file_format", "name"),
    [
        ("ase-db", "a"),
        ("ase-db", "a.xyz"),
        ("ase-db", "a.sqlite"),
        ("ase-db", "a.DB"),
        ("csv", "a.db"),
        ("sdf", "a.csv"),
    ],
)
def test_a_name_by_which_programs_would_misread_the_file_is_refused(tmp_path, file_format, name):
    with pytest.raises(InputError, match=f"a name that ends with .* for {file_format}"):
        export(SOME, file_format, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_flagged_values_come_last_in_an_export_and_not_among_the_best(tmp_path):
    objective = replace(SOME.objective, flagged=Flagged.EXCLUDE)
    more = results(water(19.5, "a"), water(18.25), water(19.75, "b"), water(18.5))
    found = replace(more, objective=objective)
    assert export(found, "extxyz", tmp_path / "a.xyz") == Exported(4)
    written = [one.info["ie_ev"] for one in read(tmp_path / "a.xyz", ":")]
    assert written == [18.5, 18.25, 19.75, 19.5]
    assert export(found, "extxyz", tmp_path / "b.xyz", top=2) == Exported(2)
    fewer = export(found, "csv", tmp_path / "b.csv", top=3)
    assert (fewer.n_molecules, fewer.notes) == (2, (found.excluded,))
    none = replace(results(water(19.5, "a")), objective=objective)
    for file_format in ("csv", "sdf"):
        with pytest.raises(InputError, match=r"top: got 3, .*1 of 1 value is flagged"):
            export(none, file_format, tmp_path / f"c.{file_format}", top=3)
    assert found.frame(top=1)["ie_ev"].tolist() == [18.5]


def test_a_run_without_geometries_is_told(tmp_path):
    one = results(Success({"ie": 1.0}))
    for file_format, name in (("extxyz", "a.xyz"), ("ase-db", "a.db")):
        with pytest.raises(InputError, match="csv or parquet, or sdf"):
            export(one, file_format, tmp_path / name)
    assert export(one, "sdf", tmp_path / "a.sdf") == Exported(1, 1)


@pytest.mark.parametrize(
    ("file_format", "name", "expected", "note"),
    [
        ("sdf", "a.sdf", Exported(2, 1), "1 of them have no geometry: they are drawn in 2D, "),
        ("extxyz", "a.xyz", Exported(1, 0, 1), "1 with a value have no geometry and are left out"),
        ("ase-db", "a.db", Exported(1, 0, 1), "1 with a value have no geometry and are left out"),
    ],
)
def test_what_has_no_geometry_is_drawn_or_left_out_and_told(
    tmp_path, file_format, name, expected, note
):
    some = results(water(1.0), Success({"ie": 3.0}), water(2.0), Failure("scf", "no"))
    done = export(some, file_format, tmp_path / name, top=2)
    assert done == expected
    [told] = done.notes
    assert told.startswith(note)
    assert export(SOME, file_format, tmp_path / name).notes == ()


@pytest.mark.parametrize(
    ("file_format", "name"),
    [("csv", "a.csv.gz"), ("csv", "a.parquet"), ("ase-db", "a.json"), ("sdf", "a.XYZ")],
)
def test_a_name_that_means_another_format_is_refused(tmp_path, file_format, name):
    with pytest.raises(InputError, match="a name that ends with"):
        export(SOME, file_format, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_parquet_has_the_same_types_whatever_was_found(tmp_path):
    runs = (SOME, results(), results(Failure("scf", "no")))
    for number, one in enumerate(runs):
        export(one, "parquet", tmp_path / f"{number}.parquet")
    found = [pq.read_schema(tmp_path / f"{n}.parquet").remove_metadata() for n in range(3)]
    assert found[0] == found[1] == found[2]
    assert len(pd.read_parquet(tmp_path)) == 4


def test_structures_of_a_run_without_a_value_wait_for_one(tmp_path):
    with pytest.raises(InputError, match=r"a run without a value.*Wait until it has one"):
        export(results(), "sdf", tmp_path / "a.sdf")

"""Quantities beside the one that is searched for stand wherever values do."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from ase.db import connect
from ase.io import read
from rich.console import Console

from molloop.campaign.jobs import Known, Simulated
from molloop.config.load import load
from molloop.molecule import Geometry
from molloop.report.export import export
from molloop.report.tables import write_training_data
from molloop.report.terminal import calculation_lines, outcome_table
from molloop.results import Results
from molloop.simulate.outcome import Calculation, Failure, Success
from molloop.simulate.versions import told

SETTINGS = load(simulation={"quantities": ["ea", "dipole", "ie"]})
WATER = Geometry(np.array([8, 1, 1], dtype="u1"), np.eye(3))
VERSIONS = "molloop 1, rdkit 2/3, tblite 4"
FOUND = (
    Success({"ie": 12.5, "ea": -1.25, "dipole": 1.5}, {}, {"molecule": WATER}),
    Success({"ie": 11.5, "dipole": 2.5}, {}, {"molecule": WATER}, ("no_ea",)),
    Failure("scf", "no"),
)


@pytest.fixture
def results():
    simulated = tuple(
        Simulated(number, number, "gfn2", "O", 0, 1.0, "n1", 0.0, 1.0, one)
        for number, one in enumerate(FOUND)
    )
    known = (Known("N", 10.5, None),)
    return Results(
        SETTINGS.objective(), SETTINGS.protocol(), known, (), simulated, versions=VERSIONS
    )


def test_a_frame_has_a_column_each(results):
    frame = results.frame()
    assert frame["ea_ev"].tolist()[0] == -1.25
    assert np.isnan(frame["ea_ev"].tolist()[1:]).all()
    assert frame["dipole_debye"].tolist()[:2] == [1.5, 2.5]
    assert set(frame["versions"]) == {VERSIONS}


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_tables_have_numbers(results, tmp_path, file_format):
    path = tmp_path / f"a.{file_format}"
    export(results, file_format, path)
    frame = getattr(pd, f"read_{file_format}")(path)
    assert frame["dipole_debye"].dtype == frame["ea_ev"].dtype == "float64"
    assert frame["dipole_debye"].tolist()[:2] == [1.5, 2.5]
    assert frame["versions"][0] == VERSIONS


def test_structures_say_them(results, tmp_path):
    export(results, "extxyz", tmp_path / "a.xyz")
    best, second = read(tmp_path / "a.xyz", ":")
    assert (best.info["ea_ev"], best.info["dipole_debye"]) == (-1.25, 1.5)
    assert "ea_ev" not in second.info
    export(results, "ase-db", tmp_path / "a.db")
    with connect(tmp_path / "a.db") as database:
        row = database.get(1)
    assert (row.ea_ev, row.versions) == (-1.25, VERSIONS)


def test_the_training_data_has_them(results, tmp_path):
    write_training_data(results, tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [row["ie_ev"] for row in rows] == ["10.5", "12.5", "11.5"]
    assert [row["ea_ev"] for row in rows] == ["", "-1.25", ""]
    assert [row["dipole_debye"] for row in rows] == ["", "1.5", "2.5"]


def test_a_table_of_molecules_has_them():
    console = Console(file=io.StringIO(), width=120)
    console.print(outcome_table(FOUND, SETTINGS.protocol(), SETTINGS.objective().quantity))
    shown = console.file.getvalue()
    for words in ("EA (eV)", "Dipole (Debye)", "-1.250", "no_ea", "failed, scf: no"):
        assert words in shown


def test_a_calculation_is_a_line():
    anion = Calculation(-1, 1, "GFN2-xTB", -12.34567, "molecule", "water", 1)
    assert calculation_lines(Success(1.0, {"anion": anion})) == [
        "  anion: GFN2-xTB in water, charge -1, multiplicity 2, geometry molecule, 1 step: "
        "-12.3457 eV"
    ]


def test_versions_of_several_processes_stand_side_by_side():
    first = {"molloop": "1", "rdkit": "2", "tblite": "4", "scipy": "9"}
    assert told([first, first | {"rdkit": "3"}]) == VERSIONS
    assert told([{}]) == ""

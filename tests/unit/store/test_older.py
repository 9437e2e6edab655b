"""A run of schema 3, as 0.1.0 wrote it: it is read, and not gone on with."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from molloop import read_results, resume
from molloop.cli.site import submit
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import InputError, StoreError
from molloop.report.export import Exported, export
from molloop.report.figures import write_loop_figure
from molloop.report.status import read_status
from molloop.report.tables import write_training_data
from molloop.store import follow
from molloop.store.database import check_goes_on
from molloop.store.follow import Mark
from molloop.store.reader import Reader
from molloop.store.schema import SCHEMAS
from molloop.store.writer import Store

DETAILS = '{"molecule_energy_ev": -137.5, "charge": 0, "odd": "text", "none": null}'
EVENTS = (
    (0.0, "Began", '{"n_molecules": 9, "n_known": 1}'),
    (0.0, "Submitted", '{"molecule_ids": [4, 7], "source": "initial", "batch": 0, "n_drawn": 2}'),
    (2.0, "Finished", '{"molecule_id": 7, "failure": "", "seconds": 0.5, "value": 18.25}'),
    (3.0, "Finished", '{"molecule_id": 4, "failure": "scf", "seconds": 0.5, "value": null}'),
    (3.0, "Stopped", '{"reason": "as asked", "end": "done"}'),
)
MADE_BY = ("gfn2", "relaxed")
WATER = (bytes([8, 1, 1]), np.arange(9, dtype="<f8").tobytes())


def write(folder, details=DETAILS, config=None):
    path = folder / "campaign.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{SCHEMAS[3]} PRAGMA user_version = 3;")
        connection.executemany("INSERT INTO events (time_s, kind, body) VALUES (?, ?, ?)", EVENTS)
        session = ("then", config or Settings().to_toml(), '{"host": "h", "pid": 7}')
        connection.execute("INSERT INTO sessions VALUES (?, ?, ?)", session)
        connection.execute("INSERT INTO known VALUES ('C', 14.5, NULL)")
        connection.executemany(
            f"INSERT INTO outcomes VALUES ({', '.join('?' * 20)})",
            [
                (1, 7, "O", 0, *MADE_BY, 2.0, "w", 1.0, 2.0, 0.5, 18.25, details, '["odd"]',
                 *WATER, None, None, None, 1),
                (0, 4, "[x]", 0, *MADE_BY, 3.0, "w", 2.0, 3.0, 0.5, None, None, None, None, None,
                 "scf", "no convergence", 1, 1),
            ],
        )  # fmt: skip
        connection.commit()
    return path


def test_outcomes_are_read_with_their_numbers_as_further_values(tmp_path):
    found = read_results(tmp_path if write(tmp_path) else None)
    failed, water = found.simulated
    assert (failed.molecule_id, failed.outcome.kind, failed.stage) == (4, "scf", "gfn2")
    assert water.outcome.values == {"ie": 18.25, "molecule_energy_ev": -137.5, "charge": 0}
    assert water.outcome.flags == ("odd",)
    assert water.outcome.geometry.numbers.tolist() == [8, 1, 1]
    assert water.outcome.geometry.positions_angstrom[2].tolist() == [6.0, 7.0, 8.0]
    assert (found.values, found.n_molecules, found.stopped.reason) == ({7: 18.25}, 9, "as asked")
    assert found.known[0].value == 14.5


def test_status_and_export_show_it(tmp_path):
    before = write(tmp_path).read_bytes()
    status = read_status(tmp_path)
    assert (status.state, status.n_values, status.failures) == ("done", 1, {"scf": 1})
    assert (status.best, status.n_excluded) == (None, 1)  # it is flagged
    assert export(read_results(tmp_path), "csv", tmp_path / "a.csv") == Exported(2)
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert rows[2].startswith("7,O,,,,18.25,gfn2,relaxed,odd,")
    assert export(read_results(tmp_path), "extxyz", tmp_path / "a.xyz") == Exported(1)
    assert "energy=-137.5" in (tmp_path / "a.xyz").read_text()
    assert (tmp_path / "campaign.sqlite").read_bytes() == before
    with closing(Reader.read(tmp_path / "campaign.sqlite")) as reader:
        assert reader.stages()["gfn2"].fidelity == "relaxed"
        assert reader.training_rows("ie", "gfn2") == [(1, 7, 18.25)]


def test_a_property_of_one_s_own_has_its_name(tmp_path):
    config = load(property={"name": "HOMO-LUMO gap", "simulator": "a.b:c"}).to_toml()
    with closing(Reader.read(write(tmp_path, config=config))) as reader:
        [_, item] = reader.simulated()
    assert item.value("homo_lumo_gap") == 18.25


def test_a_stage_has_its_fidelity_in_its_name(tmp_path):
    config = load(None, ["simulation.fidelity=mmff-geometry"])
    with closing(sqlite3.connect(write(tmp_path, config=config.to_toml()))) as connection:
        connection.execute("UPDATE outcomes SET fidelity = 'mmff-geometry'")
        connection.commit()
    found = read_results(tmp_path)
    assert {one.stage for one in found.simulated} == {"gfn2 mmff-geometry"}
    assert found.values == {7: 18.25}
    assert found.frame()["fidelity"].tolist() == ["mmff-geometry"] * 2


@pytest.mark.parametrize("proposal", [0, 1])
def test_a_row_says_the_level_of_its_own_stage(tmp_path, proposal):
    with closing(sqlite3.connect(write(tmp_path))) as connection:
        connection.execute("UPDATE outcomes SET level = 'ipea1' WHERE proposal = ?", (proposal,))
        connection.commit()
    found, status = read_results(tmp_path), read_status(tmp_path)
    levels = ["gfn2", "gfn2"]
    levels[proposal] = "ipea1"
    assert found.frame()["level"].tolist() == levels
    values = {7: 18.25} if proposal == 0 else {}
    assert found.values == values
    assert [item.molecule_id for item in found.successes] == list(values)
    n_failed = proposal  # the failure is of the run's own stage where the success is not
    assert (status.n_values, status.failures) == (len(values), {"scf": 1} if n_failed else {})
    told = "1 value" if values else "0 values"
    assert f"IE: {told}, {n_failed} failed" in repr(found)
    assert (status.n_under_way, status.n_not_finished, found.n_not_finished) == (0, 0, 0)
    # a value of another level would be taken for one of this by --training-data
    write_training_data(found, tmp_path / "t.csv")
    rows = (tmp_path / "t.csv").read_text().splitlines()[1:]
    assert rows[0] == "C,,,,14.5,,,gfn2,relaxed,"
    assert rows[1:] == (["O,,,,18.25,0,2.000,gfn2,relaxed,odd"] if values else [])
    write_loop_figure(found, tmp_path / "figure")


def test_a_number_of_the_value_s_own_name_is_left_out(tmp_path):
    write(tmp_path, details='{"ie": 3.5, "gap": 2.0}')
    [_, water] = read_results(tmp_path).simulated
    assert water.outcome.values == {"ie": 18.25, "gap": 2.0}


def test_it_is_followed_page_by_page(tmp_path, monkeypatch):
    monkeypatch.setattr(follow, "MAX_NEWS", 2)
    path, mark, found = write(tmp_path), Mark(), []
    with closing(Reader.read(path)) as reader:
        while (news := reader.news(mark)).mark != mark:
            mark = news.mark
            found += news.simulated
    assert [(item.molecule_id, item.value("ie")) for item in found] == [(7, 18.25), (4, None)]
    assert found[0].value("molecule_energy_ev") == -137.5


def test_it_is_not_gone_on_with(tmp_path):
    path = write(tmp_path)
    for go_on in (Store.open, check_goes_on):
        with pytest.raises(InputError, match=r"version 4, not 3.*can be read, but not gone on"):
            go_on(path)
    # neither here nor by a job that a scheduler has to begin first
    with pytest.raises(InputError, match="not gone on with"):
        resume(tmp_path, trust=True)
    with pytest.raises(InputError, match="not gone on with"):
        submit(run_dir=tmp_path, dry_run=True)


@pytest.mark.parametrize(
    ("details", "config"),
    [("{", None), (DETAILS, "x = ["), (DETAILS, "x = 1\n"), (DETAILS, "property = 3\n")],
)
def test_a_damaged_one_is_told(tmp_path, details, config):
    path = write(tmp_path, details, config)
    with pytest.raises(StoreError, match="is damaged"), closing(Reader.read(path)) as reader:
        reader.simulated()

"""What reports say of the stages of a run."""

import csv
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ase.io import read as read_structures
from matplotlib.figure import Figure
from small_ladder import BELOW, EVENTS, LAST, SETTINGS, SIMULATED, write_run

from molloop.campaign.promotions import Expected
from molloop.goal import Flagged
from molloop.molecule import Geometry
from molloop.report.export import export
from molloop.report.page.feed import Feed
from molloop.report.page.ladder import ranked
from molloop.report.page.render import sections
from molloop.report.predictions import write_predictions_figure
from molloop.report.stages import costs_of, orders, stage_lines, write_stages
from molloop.report.status import read_status
from molloop.results import Results
from molloop.simulate.outcome import Success
from molloop.store.records import stage_of

SVP = "b3lyp_def2_svp"


@pytest.fixture
def results():
    protocols = SETTINGS.protocols()
    return Results(
        *(SETTINGS.objective(), protocols[-1], (), tuple(EVENTS), tuple(SIMULATED)),
        stages={one.stage: stage_of(one) for one in protocols},
        protocols=protocols,
    )


def test_the_order_of_two_values():
    # places 1 2 3 4 become 1 3 2 4: 1 - 6 * 2 / (4 * 15)
    found = orders(np.array([[9.0, 5.0], [8.0, 3.0], [7.0, 4.0], [6.0, 1.0]]))
    assert found == (pytest.approx(0.8), 0.5)
    # equal ones share a place: 1, 2.5, 2.5 become 1, 2, 3
    assert orders(np.array([[1.0, 1.0], [2.0, 2.0], [2.0, 3.0]]))[1] == pytest.approx(1 / 3)
    for too_little in ([[1.0, 2.0], [2.0, 3.0]], [[1.0, 2.0]] * 4):
        assert np.isnan(orders(np.array(too_little))).all()


def test_what_a_stage_has_cost_and_changed(results):
    below, last = costs_of(results)
    # two cores a simulation in the last stage: 2 * 34 s of 7 s + 68 s
    assert (below.core_s, last.core_s, last.share) == (7.0, 68.0, pytest.approx(68 / 75))
    # places 1 2 3 become 1 3 2
    assert (below.n_both, below.agreement) == (3, pytest.approx(0.5))
    assert below.moved == pytest.approx(2 / 3)
    # expected 11, 10 and 9 with 0.5, found 10.5, 8 and 9
    assert (last.predictions.n, last.predictions.error) == (3, pytest.approx(2.5 / 3))
    assert last.predictions.within == pytest.approx(2 / 3)
    assert below.predictions is None
    assert stage_lines(results)[0] == (
        f"Stage gfn2: 5 values, 1 failed, 7.0 s of processor time (9%); rank correlation with "
        f"{LAST} 0.50, places moved 0.7 in the mean, of 3 molecules with both values"
    )


def test_flagged_values_that_go_no_further_are_counted(results):
    flagged = [
        replace(one, outcome=replace(one.outcome, flags=("unstable",)))
        if one.molecule_id in (0, 5) and isinstance(one.outcome, Success)
        else one
        for one in SIMULATED
    ]
    below, last = stage_lines(replace(results, simulated=tuple(flagged)))
    assert below.startswith(
        "Stage gfn2: 5 values, 1 failed, 7.0 s of processor time (9%); 2 flagged"
    )
    assert "flagged" not in last
    kept = replace(results.objective, flagged=Flagged.KEEP)
    told = stage_lines(replace(results, simulated=tuple(flagged), objective=kept))
    assert not any("flagged" in line for line in told)


def test_the_table_of_stages(tmp_path, results):
    write_stages(results, tmp_path / "stages.csv")
    with (tmp_path / "stages.csv").open(newline="") as file:
        below, last = csv.DictReader(file)
    assert (below["stage"], below["processor_s"], below["rank_correlation"]) == (
        "gfn2",
        "7.000",
        "0.5",
    )
    assert (below["n_predicted"], below["mean_error"]) == ("0", "")
    assert (last["n_values"], last["n_failed"], last["moved_places"]) == ("3", "1", "")
    assert (last["n_predicted"], last["mean_error"]) == ("3", "0.8333")


def with_expected(results):
    known = Expected(0, (15.0, 10.5), 10.5, 0.0, LAST)
    waiting = Expected(5, (15.5, None), 11.25, 0.5, BELOW)
    return replace(results, expected={5: waiting, 0: known})


def test_tables_have_the_values_of_each_stage_and_what_is_expected(tmp_path, results):
    frame = results.frame()
    columns = [f"ie_ev_{BELOW}", f"ie_ev_{SVP}"]
    assert [one for one in frame.columns if one.startswith(("ie_ev_", "expected"))] == columns
    found = with_expected(results)
    for file_format, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        path = tmp_path / f"a.{file_format}"
        export(found, file_format, path)
        frame = read(path).reset_index().set_index(["molecule_id", "level"])
        for level in (BELOW, LAST):
            assert frame.loc[(0, level), columns].tolist() == [15.0, 10.5]
        assert frame.loc[(0, LAST), "ie_ev"] == 10.5
        row = frame.loc[(5, BELOW)]
        assert (row["ie_ev"], row["expected_ie_ev"], row["expected_ie_ev_std"]) == (
            15.5,
            11.25,
            0.5,
        )
        assert np.isnan(row[f"ie_ev_{SVP}"])


def test_structures_have_them_too(tmp_path, results):
    geometry = Geometry(np.array([6], dtype="u1"), np.zeros((1, 3)))
    items = [
        replace(one, outcome=replace(one.outcome, geometries={"molecule": geometry}))
        if one.stage == LAST and one.molecule_id == 0
        else one
        for one in results.simulated
    ]
    export(with_expected(replace(results, simulated=tuple(items))), "extxyz", tmp_path / "a.xyz")
    info = read_structures(tmp_path / "a.xyz").info
    assert (info["ie_ev"], info[f"ie_ev_{BELOW}"], info["expected_ie_ev"]) == (10.5, 15.0, 10.5)
    assert info["level"] == LAST


def test_predictions_have_a_panel_a_stage(tmp_path, results, monkeypatch):
    figures = []
    monkeypatch.setattr(
        "molloop.report.predictions.save", lambda figure, _path: figures.append(figure)
    )
    write_predictions_figure(results, tmp_path / "p")
    titles = [" ".join(axes.get_title(loc="left").split()) for axes in figures[0].axes]
    assert titles == [
        "No molecule that the model chose for gfn2 has a value",
        f"3 molecules that the model chose for {LAST}: off by 0.83 eV in the mean, 67% within one "
        "standard deviation (68% would be right)",
    ]
    assert isinstance(figures[0], Figure)


def words(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_the_page_shows_stages_and_the_values_of_each(tmp_path):
    write_run(tmp_path)
    run = Feed(tmp_path).run
    found = {name: words(text) for name, text in sections(run).items()}
    assert "gfn2 5 of 12 1 7.0 s, 9% 3 0.50 0.7" in found["stages"]
    assert f"{LAST} 3 of 5 1 1 min 8 s, 91% 0.83 eV, 67%" in found["stages"]
    assert "gfn2: GFN2-xTB ΔSCF, uncorrected. " in found["stages"]
    # expected 11.5 with 0.5 by the last ranking; what was handed out and failed is left out
    assert "1 N 11.50 expected 10.52 to 12.48 15.500 2 C 10.500 known" in found["stages"]
    assert [one.smiles for one in ranked(run)] == ["N", "C", "CCC", "CC"]
    recent = found["recent"]
    assert "6.0 s N gfn2 15.500" in recent
    assert f"20.0 s C {LAST} 10.500" in recent
    assert f"44.0 s CCCC {LAST} scf: no 3" in recent


def test_a_status_says_what_failed_in_each_stage(tmp_path):
    write_run(tmp_path)
    status = read_status(tmp_path)
    assert status.n_of_stages == {BELOW: 5, LAST: 3}
    assert status.n_failed_of_stages == {BELOW: 1, LAST: 1}

"""The page: its words, its figures, and that nothing in it is what a molecule says."""

import copy
import json
import os
import re
from collections import Counter
from contextlib import closing
from dataclasses import asdict, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup
from matplotlib.figure import Figure
from small_run import STEPS, item, new_store

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Finished, Source, Submitted
from molloop.campaign.jobs import Simulated
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.goal import Flagged
from molloop.library.conditions import Conditions
from molloop.report.page import plots
from molloop.report.page.asked import NO_LIMIT
from molloop.report.page.drawings import drawing
from molloop.report.page.feed import Feed
from molloop.report.page.render import (
    duration,
    frozen_document,
    left_s,
    names_of,
    sections,
    texts,
)
from molloop.simulate.outcome import Calculation, Success
from molloop.store.records import Session
from molloop.store.tasks import Tasks
from molloop.store.writer import Store

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.attributes = Counter(), Counter()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names[tag] += 1
        self.attributes.update(name for name, _ in attrs)


@pytest.fixture
def run(tmp_path):
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    return Feed(tmp_path).run


def words(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_the_words_of_a_run(run):
    found = {name: words(text) for name, text in sections(run).items()}
    assert "done: 5 values are there" in found["progress"]
    assert "Best IE 16.500 eV" in found["progress"]
    assert "Values 4 of 24" in found["progress"]
    assert "Failed 1" in found["progress"]
    assert "Above 15.5 eV 1 of 4; 1 of the last 4" in found["progress"]
    assert "GFN2-xTB ΔSCF, uncorrected · 1,000 molecules" in found["progress"]
    assert "16.500 eV rank 1 · after 6.0 s CC" in found["best"]
    assert "scf: no 0" in found["recent"]
    assert "scf 1 no 0" in found["failures"]
    # off by 0.5 and 0.1, both too low; each within its deviation
    assert "Of 2 molecules that it chose, it was off by 0.30 eV" in found["model"]
    assert "-0.30 with the sign; 100% lay within" in found["model"]


def test_a_value_is_shown_by_its_name_and_of_its_stage(tmp_path):
    first = item(0, 2.0, 15.0)
    values = {"gap": 99.0, "ie": 15.25}
    rows = [
        replace(first, outcome=Success(values)),
        replace(first, proposal=1, stage="ipea1", outcome=Success({"ie": 77.0}, flags=("odd",))),
    ]
    with closing(new_store(tmp_path)) as store:
        submitted = [Submitted((100,), Source.INITIAL, 0, stage=one.stage) for one in rows]
        store.append(2.0, [Began(10, 0), *submitted], rows)
    run = Feed(tmp_path).run
    found = {name: words(text) for name, text in sections(run).items()}
    assert "Best IE 15.250 eV" in found["progress"]
    assert "15.250 eV rank 1" in found["best"]
    assert "2.0 s C ipea1 77.000 odd 2.0 s C gfn2 15.250" in found["recent"]
    row = words(frozen_document([run, run]).partition("<tbody>")[2].partition("</tr>")[0])
    assert "1 15.250 eV C" in row  # one value, the best, its molecule


def test_further_quantities_stand_with_the_best(tmp_path):
    settings = load(simulation={"quantities": ["ea", "dipole"]})
    session = Session("2026-01-01T00:00:00+00:00", settings.to_toml(), {})
    row = replace(item(0, 2.0, 15.0), outcome=Success({"ie": 15.25, "ea": -1.5}))
    with closing(Store.create(tmp_path / "campaign.sqlite", session, (), ())) as store:
        store.append(2.0, [Began(10, 0), Submitted((100,), Source.INITIAL, 0)], [row])
    best = words(sections(Feed(tmp_path).run)["best"])
    assert "EA -1.500 eV" in best
    assert "Dipole" not in best  # it has none


def test_figures_have_words_and_take_the_page_s_colours(run):
    found = sections(run)
    for name in ("found", "pairs", "workers"):
        assert 'role="img" aria-label="' in found[name]
        assert "var(--ink)" in found[name]
        assert not re.search("#010203|#070809|DejaVu", found[name])
    assert "Values of 4 molecules in their order; the best so far is 16.50 eV." in found["found"]
    assert "off by 0.30 eV in the mean" in found["pairs"]


def test_a_run_without_anything_has_a_page(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(0.0, [Began(10, 0)])
    text = frozen_document([Feed(tmp_path).run])
    assert "none so far" in text


def test_what_a_molecule_or_an_error_says_is_text(tmp_path):
    hostile = item(1, 3.0, None)
    outcome = hostile.outcome.__class__(HOSTILE, HOSTILE)
    hostile = hostile.__class__(1, 101, "gfn2", HOSTILE, 0, 3.0, HOSTILE, 2.0, 3.0, outcome)
    with closing(new_store(tmp_path)) as store:
        store.append(0.0, [Began(10, 0), Submitted((100, 101), Source.INITIAL, 0)])
        store.append(2.0, [Finished(100)], [item(0, 2.0, 15.0, HOSTILE)])
        store.append(3.0, [Finished(101)], [hostile])
    tags = Tags(frozen_document([Feed(tmp_path).run]))
    assert tags.names["script"] == tags.names["img"] == 0
    assert not [name for name in tags.attributes if name.startswith("on")]


def test_the_frozen_page_needs_nothing_else(run):
    text = frozen_document([run, run])
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', text)
    assert not re.findall(r"url\((?!#)", text)
    assert "default-src 'none'" in text
    assert "Side by side" in text


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(3.24, "3.2 s"), (59.99, "60.0 s"), (250, "4 min 10 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds, told):
    assert duration(seconds) == told


def test_what_is_drawn_of_many_points_keeps_the_extremes():
    values = np.random.default_rng(1).normal(size=50_000)
    rows = plots.thinned(values, 1500)
    assert len(rows) <= 1500
    assert {values.argmax(), values.argmin()} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()


def test_a_molecule_that_cannot_be_drawn_is_left_out():
    assert "<svg" in drawing("CCO")
    assert drawing("no molecule") == ""


@pytest.mark.parametrize("label", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
def test_labels_that_a_molecule_is_drawn_with_are_no_tags(label):
    tags = Tags(drawing(f"*C |${label};$|"))
    assert set(tags.names) == {"svg", "path"}
    assert not [name for name in tags.attributes if name.startswith("on")]


def test_the_mean_of_the_best_of_those_so_far():
    values = np.array([1.0, 3.0, 2.0, 0.0, 5.0])
    # of the best two: 1; 3, 1; 3, 2; 3, 2; 5, 3
    assert plots.running_mean_of_best(values, 2).tolist() == [1.0, 2.0, 2.5, 2.5, 4.0]


def test_shares_within_intervals_of_a_normal_error():
    # 80% of a normal distribution are within 1.2816 standard deviations, 70% within 1.0364
    means, stds = np.zeros(2), np.array([1.0, 2.0])
    found = plots.observed_shares(means, stds, np.array([1.1, 2.9]))
    shares = dict(zip(plots.EXPECTED, found, strict=True))
    assert shares[0.7] == 0.0
    assert shares[0.8] == 0.5  # 1.1, and not 1.45 of the second's
    assert shares[0.9] == 1.0  # 1.6449


def test_several_runs_are_drawn_side_by_side_where_they_searched_for_the_same(run):
    drawn = plots.side_by_side([run, run], ["one", "two"])
    assert "one: 16.50 eV after 4; two: 16.50 eV after 4" in drawn
    other = copy.copy(run)
    other.settings = Settings.model_validate({"property": {"name": "gap", "simulator": "mine:gap"}})
    assert plots.side_by_side([run, other], ["one", "two"]) == ""


@pytest.mark.parametrize("name", ["a\\d", "$x_{$", "a\\1", "_a"])
def test_a_folder_s_name_is_neither_formula_nor_template(run, name):
    assert f"1 {name}</text>" in plots.side_by_side([run, run], [name, "other"])


def test_runs_of_the_same_name_are_told_apart(run, monkeypatch):
    here, there = copy.copy(run), copy.copy(run)
    here.folder, there.folder = Path("here/first"), Path("there/first")
    assert names_of([here, there]) == ["here/first", "there/first"]
    monkeypatch.chdir(run.folder)
    here.folder = Path()
    assert names_of([here, there]) == [run.folder.name, "first"]


def test_headings_have_no_gaps(run):
    for document, deepest in ((frozen_document([run]), 2), (frozen_document([run, run]), 3)):
        levels = [int(level) for level in re.findall(r"<h(\d)", document)]
        assert levels[0] == 1
        assert max(levels) == deepest
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_time_left_is_told_by_the_last_values(run):
    # 20 of 24 are missing; three came within 6 s of the first one, to the last event
    assert left_s(run) == 40
    run.record.resumed_s = [6.5]
    assert left_s(run) is None  # one value since tells no pace


def test_large_molecules_are_not_drawn():
    assert "<svg" in drawing(200 * "C")
    assert drawing(201 * "C") == ""
    chain = "[12CH3]" + 62 * "[12CH2]" + "C" * 52 + "O"  # 116 atoms
    assert len(chain) == 494
    assert "<svg" in drawing(chain)
    assert drawing("[12CH3]" + chain) == ""


def test_what_is_simulated_is_shown_of_a_run_that_goes_on_only(run):
    run.record.n_submitted = 9
    assert "Being simulated" not in words(texts(run)["progress"])
    assert "Not finished 4" in words(texts(run)["progress"])
    run.state = "running"
    assert "Being simulated 4" in words(texts(run)["progress"])
    assert "Not finished" not in words(texts(run)["progress"])


def test_a_folder_s_name_need_not_be_unicode(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff"))
    folder.mkdir()
    with closing(new_store(folder)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    run = Feed(folder).run
    assert r"<h1>r\udcff</h1>" in frozen_document([run])
    assert frozen_document([run, run]).encode()


def test_doubts_about_a_value_are_shown(tmp_path):
    doubtful = item(0, 2.0, 15.0)
    doubtful = replace(doubtful, outcome=replace(doubtful.outcome, flags=("not_converged", "<b>")))
    with closing(new_store(tmp_path)) as store:
        store.append(2.0, [Began(9, 0), Finished(100)], [doubtful])
    run = Feed(tmp_path).run
    assert "not_converged, &lt;b&gt;" in texts(run)["recent"]
    run.record.search_for(replace(run.settings.objective(), flagged=Flagged.KEEP))
    assert "not_converged, &lt;b&gt;" in texts(run)["best"]


@pytest.mark.parametrize("n_flagged", [1, 2])
def test_flagged_values_are_on_the_page_and_not_among_the_best(tmp_path, n_flagged):
    rows = [item(0, 1.0, 15.0), item(1, 2.0, 14.0)]
    for number in range(n_flagged):
        outcome = replace(rows[number].outcome, flags=("not_converged",))
        rows[number] = replace(rows[number], outcome=outcome)
    ids = tuple(one.molecule_id for one in rows)
    with closing(new_store(tmp_path)) as store:
        submitted = Submitted(ids, Source.INITIAL, 0, stage=rows[0].stage)
        store.append(2.0, [Began(9, 0), submitted, *map(Finished, ids)], rows)
    run = Feed(tmp_path).run
    found = {name: words(text) for name, text in texts(run).items()}
    are = "is" if n_flagged == 1 else "are"
    assert f"{n_flagged} of 2 values {are} flagged, and never among the best" in found["best"]
    best = "Best IE 14.000 eV" if n_flagged == 1 else "Best IE none so far"
    assert best in found["progress"]
    assert words(frozen_document([run, run])).count(f"{n_flagged} of 2 values {are} flagged") == 2


def test_runs_of_different_levels_are_in_no_common_figure(run):
    other = copy.copy(run)
    other.settings = Settings.model_validate({"simulation": {"level": "ipea1"}})
    text = frozen_document([run, other])
    assert "no figure compares them" in text
    assert "GFN2-xTB ΔSCF" in words(text)
    assert "IPEA1-xTB" in words(text)


def test_the_time_left_ends_with_the_time_limit(run):
    limits = {"stopping": {"time_limit_s": 20.0}}
    run.settings = Settings.model_validate(limits)
    assert left_s(run) == 12.0


def simulated(number, smiles, name, charge, n_unpaired):
    state = Calculation(charge, n_unpaired, "GFN2-xTB", -137.5)
    outcome = Success({"ie": 14.0 + number}, {"molecule": state, "ion": replace(state, charge=9)})
    times = (0, 2.0 + number, "w", 1.0 + number, 2.0 + number)
    return Simulated(number, number, "gfn2", smiles, *times, outcome, name)


def test_a_molecule_is_shown_with_its_name_and_charge(tmp_path):
    environment = {"library": {"name": "/data/one.smi, /data/two.csv"}}
    config = Settings().to_toml()
    path = tmp_path / "campaign.sqlite"
    with closing(Store.create(path, Session("now", config, environment))) as store:
        store.append(0.0, [Began(20, 0), Submitted(tuple(range(12)), Source.INITIAL, 0)], [], [])
        some = [simulated(k, "C", "", 0, 0) for k in range(9)]
        some += [simulated(9, "[NH4+]", "ammonium", 1, 0), simulated(10, "[CH3]", "CHEBI 3", 0, 1)]
        some += [simulated(11, "[O-][O-]", "", -2, 2)]
        for one in some:
            store.append(one.time_s, [Finished(one.molecule_id)], [one], [])
    run = Feed(tmp_path).run
    shown = texts(run)
    for name in ("best", "recent"):
        found = words(shown[name])
        assert "CHEBI 3 [CH3]" in found
        assert "ammonium [NH4+]" in found
        assert "charge +1" in found
        assert "charge 0 · 1 unpaired electron" in found
        assert "charge -2 · 2 unpaired electrons" in found
    assert "20 molecules in one.smi, two.csv" in words(shown["progress"])
    assert "CHEBI 3" in words(frozen_document([run, run]))
    assert shown["best"].count("<li>") == 10
    more = texts(Feed(tmp_path, 12).run)["best"]
    assert more.count("<li>") == 12
    # the ten best of 14 to 25 eV, also where the page shows more
    assert "20.500 eV" in words(frozen_document([Feed(tmp_path, 12).run] * 2))


def drawn_axes(monkeypatch, draw, *arguments):
    """Return the axes of the figures that a section of a page has."""
    found = []

    def keep(draw_one, _told):
        figure = Figure()
        draw_one(figure)
        found.extend(figure.axes)
        return Markup("")

    monkeypatch.setattr(plots, "svg", keep)
    draw(*arguments)
    return found


def test_time_begins_with_the_first_task(run, monkeypatch):
    run.record.tasks = Tasks()
    for work, began_s in ((Work.SIMULATE, 1.5), (Work.SIMULATE, 2.0), (Work.TRAIN, 3.0)):
        run.record.tasks.append(Task(work, "w", began_s, began_s + 0.5))
    in_order, over_time = drawn_axes(monkeypatch, plots.found_over_time, run)
    assert (in_order.get_xlim()[0], over_time.get_xlim()[0]) == (0.0, 1.5)
    over_time, _ = drawn_axes(monkeypatch, plots.workers_over_time, run)
    assert over_time.get_xlim() == (1.5, 3.5)
    over_time, _ = drawn_axes(monkeypatch, plots.side_by_side, [run, run], ["a", "b"])
    assert over_time.get_xlim()[0] == 1.5


def test_values_that_are_never_among_the_best_are_hollow_marks(run, monkeypatch):
    for axes in drawn_axes(monkeypatch, plots.found_over_time, run):
        hollow, filled = axes.collections
        assert (len(hollow.get_offsets()), len(filled.get_offsets())) == (0, run.record.n_values)
    run.record.are_flagged[0] = 1
    for axes in drawn_axes(monkeypatch, plots.found_over_time, run):
        hollow, filled = axes.collections
        assert [value for _, value in hollow.get_offsets().tolist()] == [run.record.values[0]]
        assert len(hollow.get_facecolors()) == 0
        assert len(filled.get_offsets()) == run.record.n_values - 1


def test_what_workers_did_lately_is_of_all_kinds(run):
    run.record.tasks = Tasks()
    # simulations of both workers come first, as they are read with the outcomes
    for number in range(40):
        run.record.tasks.append(Task(Work.SIMULATE, f"w{number % 2}", number, number + 1.0))
    for number in range(10):
        run.record.tasks.append(Task(Work.TRAIN, "w0", 4.0 * number, 4.0 * number + 0.5))
    found = plots.lately(run, 10)
    assert [task.began_s for task in found] == sorted(task.began_s for task in found)
    assert min(task.ended_s for task in found) == 32.5
    assert [task.work for task in found].count(Work.TRAIN) == 2
    assert {task.worker for task in found if task.work is Work.SIMULATE} == {"w0", "w1"}


def test_conditions_that_are_set_are_shown(run, monkeypatch):
    asked = {"conditions": {"min_heavy_atoms": 6, "charge": (0, 1)}}
    monkeypatch.setattr(type(run.settings), "model_dump", lambda *_, **__: asked)
    assert run.conditions == ["min_heavy_atoms = 6", "charge = 0, 1"]
    told = "conditions: min_heavy_atoms = 6; charge = 0, 1"
    assert told in words(texts(run)["progress"])


def test_conditions_of_the_library_are_shown(run):
    filters = asdict(Conditions(elements=("C", "O"), max_rings=0, charge=(0,)))
    filters["descriptors"] = [{"name": "CrippenClogP", "min": None, "max": 3.0}]
    library = {"name": "/data/one.smi", "spec": {"filters": json.loads(json.dumps(filters))}}
    run.sessions = [replace(run.sessions[-1], environment={"library": library})]
    told = "elements = C, O; charge = 0; max_rings = 0; descriptors.CrippenClogP.max = 3.0"
    assert sorted(run.built_with) == sorted(told.split("; "))
    assert "molecules in one.smi, built with " in words(texts(run)["progress"])
    for none in (asdict(Conditions()), 5, {"elements": 5}):
        library["spec"]["filters"] = none
        assert run.built_with == []
    assert "built with" not in words(texts(run)["progress"])


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("max_rings", 0, "max_rings = 0"),
        ("max_molar_mass", 0.0, "max_molar_mass = 0.0"),
        ("max_heavy_atoms", 0, "max_heavy_atoms = 0"),
        ("elements", [], "elements = "),
        ("charge", [], "charge = "),
        ("excluded_catalogues", ["PAINS"], "excluded_catalogues = PAINS"),
    ],
)
def test_a_single_condition_of_the_library_is_shown(run, name, value, told):
    filters = json.loads(json.dumps(asdict(Conditions()))) | {name: value}
    library = {"name": "one.smi", "spec": {"filters": filters}}
    run.sessions = [replace(run.sessions[-1], environment={"library": library})]
    assert run.built_with == [told]


def test_what_asks_for_nothing_is_told_without_rdkit():
    nothing = {name: one for name, one in asdict(Conditions()).items() if one is not None}
    assert json.loads(json.dumps(nothing)) == NO_LIMIT


def test_a_budget_that_was_lowered_is_no_share_above_one(run):
    run.settings = Settings.model_validate(
        {"campaign": {"max_training_count": 3, "initial_training_count": 2}}
    )
    assert 'aria-valuemax="3" aria-valuenow="3"' in texts(run)["progress"]


def test_many_kinds_of_failures_are_cut(run):
    run.record.failures = Counter({f"kind{n}": 100 - n for n in range(50)})
    run.record.messages = {kind: [] for kind in run.record.failures}
    found = words(texts(run)["failures"])
    assert "kind19 81" in found
    assert "kind20" not in found
    assert "And 30 more kinds." in found


def test_runs_that_have_hardly_begun_are_compared(tmp_path):
    with closing(new_store(tmp_path)) as store:
        store.append(*STEPS[0])
    run = Feed(tmp_path).run
    assert "2 runs" in frozen_document([run, run])
    run.record.tasks.append(Task(Work.SIMULATE, "w", 0.0, 0.0))
    assert "<svg" in plots.workers_over_time(run)

import csv
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from rich.console import Console

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import (
    Began,
    End,
    Finished,
    Ranked,
    RankingBegan,
    Resumed,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.jobs import Known, Simulated
from molloop.config.settings import Settings
from molloop.goal import Flagged
from molloop.molecule import Molecule
from molloop.report import figures, look, tables
from molloop.report.display import RunDisplay
from molloop.report.export import export
from molloop.report.predictions import BARS, write_predictions_figure
from molloop.report.progress import ProgressDisplay
from molloop.report.status import Status
from molloop.report.summary import summary_lines
from molloop.report.terminal import best_table, outcome_table, run_summary, status_table
from molloop.results import Results
from molloop.simulate.outcome import Calculation, Failure, Success
from molloop.store.searched import SearchedLibrary

SMILES = ["C", "CO", "CF", "CC", "O"]
FIGURES = (figures.write_loop_figure, figures.write_workers_figure, write_predictions_figure)


def simulated(proposal, molecule_id, value, batch, time_s, work=("", 0.0)):
    if value is None:
        outcome = Failure("scf", "no")
    else:
        flags = ("not_converged",) if molecule_id == 2 else ()
        outcome = Success({"ie": value}, flags=flags)
    smiles = SMILES[molecule_id]
    where = (proposal, molecule_id, "gfn2", smiles, batch)
    return Simulated(*where, time_s, *work, time_s, outcome)


@pytest.fixture
def results():
    return Results(
        objective=replace(Settings().objective(), flagged=Flagged.KEEP),
        protocol=Settings().protocol(),
        known=(Known("CCC", 13.0, None),),
        simulated=(
            simulated(0, 0, 14.0, 0, 2.0, ("w", 0.0)),
            simulated(1, 3, None, 0, 1.0),
            simulated(2, 1, 13.5, 0, 1.0),
            simulated(3, 2, 15.25, 1, 4.0, ("v", 3.0)),
        ),
        events=(
            (0.0, Began(5, 1)),
            (0.0, Submitted((0, 3, 1), Source.INITIAL, 0)),
            (2.0, RankingBegan(1, 2)),
            (3.0, Ranked(1, (2, 4), (14.5, 14.25), (0.5, 0.25))),
            (3.0, Submitted((2,), Source.RANKING, 1)),
            (4.0, Stopped("done", End.DONE)),
        ),
        work=(Task(Work.TRAIN, "w", 2.0, 2.5), Task(Work.RANK, "v", 2.5, 3.0)),
    )


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_training_data(tmp_path, results):
    tables.write_training_data(results, tmp_path / "t.csv")
    assert read(tmp_path / "t.csv") == [
        [
            *("smiles", "name", "charge", "n_unpaired", "ie_ev"),
            *("batch", "time_s", "level", "fidelity", "flags"),
        ],
        ["CCC", "", "", "", "13.0", "", "", "gfn2", "relaxed", ""],
        ["C", "", "", "", "14.0", "0", "2.000", "gfn2", "relaxed", ""],
        ["CO", "", "", "", "13.5", "0", "1.000", "gfn2", "relaxed", ""],
        ["CF", "", "", "", "15.25", "1", "4.000", "gfn2", "relaxed", "not_converged"],
    ]


def test_known_values_of_another_level_stand_as_such(tmp_path, results):
    propane = Known("CCC", 10.94, None, "experiment", "=propane", ("a", "b"), 0, 0)
    known = (propane, Known("O", 18.25, None))
    tables.write_training_data(replace(results, known=known), tmp_path / "t.csv")
    assert read(tmp_path / "t.csv")[1:3] == [
        ["CCC", "'=propane", "0", "0", "10.94", "", "", "experiment", "", "a b"],
        ["O", "", "", "", "18.25", "", "", "gfn2", "relaxed", ""],
    ]


def test_best_molecules(tmp_path, results):
    names = {2: "=fluoromethane"}
    tables.write_best_molecules(
        results,
        lambda key: Molecule(key, SMILES[key], names.get(key, "")),
        tmp_path / "b.csv",
    )
    assert read(tmp_path / "b.csv") == [
        [
            *("smiles", "name", "predicted_ie_ev", "predicted_ie_ev_std", "ie_ev"),
            *("batch", "time_s", "level", "flags"),
        ],
        ["CF", "'=fluoromethane", "14.5", "0.5", "15.25", "1", "3.000", "gfn2", "not_converged"],
        ["O", "", "14.25", "0.25", "", "1", "3.000", "gfn2", ""],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]


def test_tables_say_names_charges_and_what_the_library_has_kept(tmp_path, results):
    cells = {key: {"batch": f"b{key}", "note": "@home"} for key in (2, 4)}
    searched = SearchedLibrary("", {4: "propane"}, cells)
    state = Calculation(-1, 1, "GFN2-xTB", -10.0)
    simulated = [
        replace(
            one, name=f"no. {one.molecule_id}", outcome=Success({"ie": 1.0}, {"molecule": state})
        )
        for one in results.simulated
        if one.molecule_id == 2
    ]
    known = (Known("CCC", 13.0, 4), Known("CCCC", 12.0, None))
    found = replace(results, known=known, simulated=tuple(simulated), library=searched)
    tables.write_training_data(found, tmp_path / "t.csv")
    header, *rows = read(tmp_path / "t.csv")
    assert header[-2:] == ["library_batch", "note"]
    assert [[*row[:5], *row[-2:]] for row in rows] == [
        ["CCC", "propane", "", "", "13.0", "b4", "'@home"],
        ["CCCC", "", "", "", "12.0", "", ""],
        ["CF", "no. 2", "-1", "1", "1.0", "b2", "'@home"],
    ]
    frame = found.frame()
    assert frame.loc[2, ["name", "charge", "n_unpaired", "library_batch", "note"]].tolist() == [
        *("no. 2", -1, 1, "b2", "@home")
    ]


def test_time_begins_with_the_first_task_and_the_best_has_its_name(results, monkeypatch, tmp_path):
    figures_made = []
    monkeypatch.setattr(figures, "save", lambda figure, _path: figures_made.append(figure))
    later = [replace(one, began_s=one.began_s + 0.75, name="no. 1") for one in results.simulated]
    found = replace(results, simulated=tuple(later))
    figures.write_loop_figure(found, tmp_path / "a")
    figures.write_workers_figure(found, tmp_path / "b")
    loop, workers = figures_made
    assert loop.axes[1].get_xlim()[0] == 0.75
    assert workers.axes[0].get_xlim() == (0.75, 4.0)
    assert [one.get_text() for one in loop.axes[1].texts] == ["no. 1 CF  15.25 eV"]


def test_the_order_of_the_best(results):
    assert [item.smiles for item in results.best(10)] == ["CF", "C", "CO"]
    assert [item.smiles for item in results.successes] == ["CO", "C", "CF"]


def test_the_smallest_are_the_best_where_they_are_searched_for(results):
    objective = Settings.model_validate({"property": {"direction": "minimise"}}).objective()
    assert [item.smiles for item in replace(results, objective=objective).best(2)] == ["CO", "C"]


def test_the_figure_shows_three_colours(tmp_path, results):
    figures.write_loop_figure(results, tmp_path / "f")
    image = (imread(tmp_path / "f.png")[..., :3] * 255).astype(int)
    assert image.shape[1] == 2200
    for colour in (look.SIMULATED, look.PREDICTED, look.BEST):
        wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert np.all(np.abs(image - wanted) <= 2, axis=-1).sum() > 100


@pytest.mark.parametrize("unit", [r"$\foo$", "a$b^{$"])
def test_a_unit_is_no_formula(tmp_path, results, unit):
    quantity = replace(results.objective.quantity, unit=unit)
    odd = replace(results, objective=replace(results.objective, quantity=quantity))
    for draw in FIGURES:
        draw(odd, tmp_path / "f")
        assert (tmp_path / "f.png").stat().st_size > 1000


@pytest.mark.parametrize("kept", [0, 1])
def test_a_figure_of_hardly_anything(tmp_path, results, kept):
    little = Results(
        results.objective,
        results.protocol,
        (),
        ((0.0, Began(5, 0)),),
        results.simulated[3 : 3 + kept],
    )
    for draw in FIGURES:
        draw(little, tmp_path / "f")
        assert (tmp_path / "f.png").stat().st_size > 1000
        assert not ElementTree.parse(tmp_path / "f.svg").findall(".//{*}text")


def test_the_best_so_far_is_that_of_an_iteration_and_those_before(results):
    # of the second iteration nothing is there; the third one's ended before the first one's
    later = simulated(4, 4, 14.5, 3, 3.5)
    of_another_stage = replace(simulated(5, 0, 99.0, 2, 5.0), stage="ipea1")
    more = replace(results, simulated=(*results.simulated, later, of_another_stage))
    by_batch, over_time = Figure().subplots(1, 2)
    figures._draw_over_batches(by_batch, more)
    [stairs] = by_batch.patches
    assert stairs.get_data().values.tolist() == [14.0, 15.25]
    assert stairs.get_data().edges.tolist() == [-0.5, 0.5, 3.5]
    figures._draw_over_time(over_time, more)
    [steps] = over_time.lines
    assert steps.get_xydata().tolist() == [[1, 13.5], [2, 14], [3.5, 14.5], [4, 15.25], [4, 15.25]]


@pytest.mark.parametrize("are_all", [False, True])
def test_figures_and_words_of_flagged_values(tmp_path, results, are_all):
    first, *others = results.simulated
    doubtful = replace(first, outcome=replace(first.outcome, flags=("odd",)))
    some = [doubtful, *others] if are_all else results.simulated
    some = tuple(one for one in some if not (are_all and one.molecule_id == 1))
    objective = replace(results.objective, flagged=Flagged.EXCLUDE)
    found = replace(results, objective=objective, simulated=some)
    for draw in FIGURES:
        draw(found, tmp_path / draw.__name__)
    over_time = Figure().subplots()
    figures._draw_over_time(over_time, found)
    text = "\n".join(summary_lines(found))
    if are_all:
        assert (found.best(9), list(over_time.texts)) == ([], [])
        assert "2 of 2 values are flagged, and never among the best" in text
        console = Console(width=100, record=True)
        console.print(run_summary(found))
        assert "SMILES" not in console.export_text()
        assert "best" not in repr(found)
    else:
        assert [one.get_text() for one in over_time.texts] == ["C  14.00 eV"]
        assert "1 of 3 values is flagged" in text
    assert set(found.values) == ({0, 2} if are_all else {0, 1, 2})


def test_the_figure_of_workers_shows_each_kind_of_work(tmp_path, results):
    figures.write_workers_figure(results, tmp_path / "f")
    image = (imread(tmp_path / "f.png")[..., :3] * 255).astype(int)
    for colour in figures.WORK_COLORS.values():
        wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert np.all(np.abs(image - wanted) <= 2, axis=-1).sum() > 1000


def test_what_was_predicted_of_molecules_that_a_ranking_chose(results):
    assert results.predictions.tolist() == [[14.5, 0.5, 15.25]]
    assert replace(results, events=results.events[:2]).predictions.shape == (0, 3)


def test_the_figure_of_predictions_has_points_bars_and_a_diagonal(tmp_path, results):
    write_predictions_figure(results, tmp_path / "p")
    image = (imread(tmp_path / "p.png")[..., :3] * 255).astype(int)
    for colour in (look.SIMULATED, look.BEST, BARS):
        wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert np.all(np.abs(image - wanted) <= 2, axis=-1).sum() > 50


@pytest.mark.parametrize("draw", FIGURES)
def test_the_same_run_gives_the_same_file_without_a_date(tmp_path, results, draw):
    hostile = replace(results.simulated[3], smiles="C--><script>$x$")
    results = replace(results, simulated=(*results.simulated[:3], hostile))
    for name in ("one", "two"):
        draw(results, tmp_path / name)
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert "dc:date" not in text
    root = ElementTree.fromstring(text)
    assert not root.findall(".//{*}script")
    assert not root.findall(".//{*}image")


@pytest.mark.parametrize("draw", FIGURES)
def test_many_marks_are_an_image_in_a_small_file(tmp_path, results, draw):
    n = 5000
    rng = np.random.default_rng(0)
    values, stds = rng.normal(14, 1, (2, n)), rng.uniform(0.1, 1, n)
    many = tuple(
        Simulated(*(k, k, "gfn2", "C", 1 + k // 100, float(k)), f"w{k % 8}", k - 1.0, float(k), one)
        for k, one in enumerate(Success({"ie": value}) for value in values[0])
    )
    events = [(0.0, Began(n, 0))]
    for first in range(0, n, 100):
        rows, batch = slice(first, first + 100), 1 + first // 100
        ids = tuple(range(n)[rows])
        columns = (tuple(values[1][rows].tolist()), tuple(stds[rows].tolist()))
        events += [
            (first - 1.0, RankingBegan(batch, 1)),
            (first - 0.5, Ranked(batch, ids, *columns)),
            (first - 0.5, Submitted(ids, Source.RANKING, batch)),
        ]
    odd = replace(results, simulated=many, events=tuple(events))
    assert odd.predictions.shape == (n, 3)
    draw(odd, tmp_path / "f")
    assert ElementTree.parse(tmp_path / "f.svg").findall(".//{*}image")
    assert (tmp_path / "f.svg").stat().st_size < 600_000


def shown(width=120, schedule="batch", is_quiet=False):
    console = Console(width=width, force_terminal=False, record=True)
    sections = {"campaign": {"schedule": schedule}, "property": {"flagged": "keep"}}
    settings = Settings.model_validate(sections)
    progress = ProgressDisplay(console, is_quiet=is_quiet, clock=lambda: 0.0)
    return console, RunDisplay(console, settings, progress)


def test_the_screen_of_an_interleaved_run_has_a_line_a_ranking(results):
    console, display = shown(schedule="interleaved")
    first = results.simulated[:3]
    display.show_event(0.0, Resumed(("site.workers: 2 -> 4",)), None)
    display.show_event(0.0, Submitted((0, 3, 1), Source.INITIAL, 0), None)
    for item in first[:2]:
        display.show_event(item.time_s, Finished(item.molecule_id), item)
    display.show_event(2.0, RankingBegan(1, 2), None)
    display.show_event(2.5, Finished(first[2].molecule_id), first[2])
    display.show_event(3.0, Ranked(1, (2, 4), (14.5, 14.25), (0.25, 0.125)), None)
    display.show_event(3.0, Submitted((2,), Source.RANKING, 1), None)
    display.show_event(4.0, Finished(2), results.simulated[3])
    display.show_event(4.0, Stopped("done", End.DONE), None)
    title, _, initial, batch = console.export_text().strip().splitlines()
    assert title == "going on with 0 values · site.workers: 2 -> 4"
    assert initial.split() == ["0", "-", "-", "14.00", "C", "2", "1", "-", "3.0", "s"]
    assert batch.split() == [
        "1",
        "2",
        "14.50±0.25",
        "CF",
        "15.25",
        "CF",
        "3",
        "1",
        "0.75",
        "1.0",
        "s",
    ]


def test_a_summary_says_how_it_ended_what_workers_did_and_what_is_good(results):
    objective = replace(results.objective, threshold=13.75)
    console = Console(width=120, record=True)
    console.print(run_summary(replace(results, objective=objective)))
    text = console.export_text()
    narrow = Console(width=30, record=True)
    narrow.print(run_summary(results), soft_wrap=True)  # as the command prints it: nothing is cut
    lines = narrow.export_text().splitlines()
    assert set(summary_lines(results)) <= set(lines)
    assert lines[-1] == f"{results.objective.quantity.title}, {results.protocol.label}"
    assert "Ended: done." in text
    # one worker at a time from 0 to 4 s: 3 s of simulation, 0.5 each of training and ranking
    assert "1 worker in 4.0 s: busy 100% (simulate 75%, train 12%, rank 12%)" in text
    assert "above 13.75 eV: 2 of 3 values, 2 of the last 3" in text
    assert "The best of 3 simulated molecules" in text
    assert "Not finished" not in text
    assert "Known beforehand: 1 value, 1 of them of molecules that are not in the library" in text
    more = (3.5, Submitted((4, 5, 6), Source.RANKING, 1))
    left = summary_lines(replace(results, events=(*results.events[:-1], more, results.events[-1])))
    assert left[:2] == ["Ended: done.", "Not finished: 3 of the molecules that were handed out."]
    left_out = summary_lines(replace(results, n_rejected=2, rejects="a/rejects.csv"))
    assert "Left out: 2 lines of the library's source without a molecule: a/rejects.csv" in left_out
    in_library = replace(results, known=(Known("C", 13.0, 0),))
    assert not [line for line in summary_lines(in_library) if "Known" in line]
    assert replace(results, objective=objective).n_beyond_threshold(2) == 2


def test_a_status_is_a_table():
    console = Console(width=120, record=True)
    status = Status(
        *("failed", "no space", "node1", 77, 3, 12.5, 20, 24, 0, 2, {"scf": 1}, 4, "ie_ev"),
        best=(15.25, "CF"),
        n_beyond_threshold=3,
        n_broken=4,
        n_left_out=5,
    )
    console.print(status_table(status))
    text = console.export_text()
    words = ("failed: no space", "20 of 24", "1 scf", "77 on node1, number 3", "15.250 (ie_ev) CF")
    for word in words:
        assert word in text
    text = " ".join(text.split())
    assert "not finished 2; `molloop resume` simulates them again" in text
    assert "outside the goal 4, never among the best" in text
    assert "outside the conditions 5, never among the best" in text


def test_the_screen_has_a_line_an_iteration(results):
    console, display = shown()
    first = results.simulated[:3]
    display.show_event(0.0, Began(5, 1), None)
    display.show_event(0.0, Submitted((0, 3, 1), Source.INITIAL, 0), None)
    for item in first:
        display.show_event(item.time_s, Finished(item.molecule_id), item)
    display.show_event(2.0, RankingBegan(1, 3), None)
    display.show_event(3.0, Ranked(1, (2, 4), (14.5, 14.25), (0.0, 0.0)), None)
    display.show_event(3.0, Submitted((2,), Source.RANKING, 1), None)
    display.show_event(4.0, Finished(2), results.simulated[3])
    display.show_event(4.0, Stopped("done", End.DONE), None)
    title, header, initial, batch = console.export_text().strip().splitlines()
    assert (
        title
        == "qm9: 5 molecules · GFN2-xTB ΔSCF, uncorrected · seed 42 · 1 value known beforehand"
    )
    assert header.split()[:2] == ["iter", "train"]
    assert header.endswith("done fail error (eV)   time")
    assert initial.split() == ["0", "-", "-", "14.00", "C", "2", "1", "-", "2.0", "s"]
    assert batch.split() == ["1", "3", "14.50", "CF", "15.25", "CF", "3", "1", "0.75", "2.0", "s"]


def test_a_quiet_run_has_no_lines():
    console, display = shown(is_quiet=True)
    display.show_event(0.0, Began(5, 0), None)
    display.show_event(1.0, Finished(0), simulated(0, 0, 14.0, 0, 1.0))
    display.show_event(1.0, Stopped("done", End.DONE), None)
    assert console.export_text() == ""


def test_a_narrow_screen_cuts_molecules_and_no_line(results):
    console, display = shown(width=80)
    long = Simulated(0, 0, "gfn2", "C" * 60, 0, 1.0, "w", 0.0, 1.0, results.simulated[0].outcome)
    display.show_event(0.0, Submitted((0,), Source.INITIAL, 0), None)
    display.show_event(1.0, Finished(0), long)
    display.show_event(1.0, Stopped("done", End.DONE), None)
    lines = console.export_text().rstrip().splitlines()
    assert len(lines) == 2
    assert max(map(len, lines)) <= 80
    assert "CCC…" in lines[1]


def test_tables_name_unit_and_level(results):
    console = Console(width=100, record=True)
    console.print(best_table(results))
    console.print(
        outcome_table(
            [
                replace(one.outcome, smiles=smiles)
                for one, smiles in zip(results.simulated, ["O", "[x]"], strict=False)
            ],
            results.protocol,
            results.objective.quantity,
        )
    )
    text = console.export_text()
    assert text.count("IE (eV)") == 2
    assert text.count("GFN2-xTB ΔSCF, uncorrected") == 2
    assert "15.250" in text
    assert "failed, scf: no" in text
    assert "not_converged" in text
    assert "[x]" in text


def test_how_values_were_computed_stands_in_lines_beside_an_axis():
    label = "IPEA1-xTB ΔSCF on GFN2-xTB geometry, shifted by -4.846 eV"
    assert look.axis_level(label) == "IPEA1-xTB ΔSCF on GFN2-xTB geometry, shifted\nby -4.846 eV"
    assert look.axis_level("GFN2-xTB ΔSCF, uncorrected") == "GFN2-xTB ΔSCF, uncorrected"


def test_tables_say_what_does_not_meet_the_conditions(tmp_path, results):
    """The best molecule, CF, and CO, which was proposed alone, are left out."""
    events = (*results.events, (5.0, Resumed(left_out=(2, 4))))
    results = replace(results, events=events)
    tables.write_training_data(results, tmp_path / "t.csv")
    columns = list(zip(*read(tmp_path / "t.csv"), strict=True))
    assert [one for one in columns if one[0] == "conditions"] == [
        ("conditions", "", "met", "met", "not met")
    ]
    tables.write_best_molecules(results, lambda key: Molecule(key, "C"), tmp_path / "b.csv")
    assert len(read(tmp_path / "b.csv")) == 1
    one = replace(results, events=(*results.events, (6.0, Resumed(left_out=(2,)))))
    tables.write_best_molecules(one, lambda key: Molecule(key, "C"), tmp_path / "b.csv")
    assert [row[2:5] for row in read(tmp_path / "b.csv")[1:]] == [["14.25", "0.25", ""]]
    assert [item.molecule_id for item in results.best(9)] == [0, 1]
    assert [item.molecule_id for item in results.ranked()] == [0, 1, 2]
    told = "1 of 3 values is outside the conditions, and never among the best."
    assert told in summary_lines(results)
    assert export(results, "csv", tmp_path / "e.csv", top=3).notes == (told,)
    export(results, "csv", tmp_path / "all.csv")
    columns = list(zip(*read(tmp_path / "all.csv"), strict=True))
    assert [one for one in columns if one[0] == "conditions"] == [
        ("conditions", "met", "met", "met", "not met")
    ]
    assert "conditions" not in replace(results, events=()).frame()


def test_figures_tell_apart_what_is_never_among_the_best(tmp_path, monkeypatch, results):
    """CF is left out, the best is C: a grey mark, and a line that stays below it."""
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, _path: drawn.append(figure))
    events = (*results.events, (5.0, Resumed(left_out=(2,))))
    figures.write_loop_figure(replace(results, events=events), tmp_path / "loop")
    over_time = drawn[0].axes[1]
    marks = {one.get_label(): one.get_offsets().tolist() for one in over_time.collections}
    assert marks["simulated, never among the best"] == [[4.0, 15.25]]
    assert marks["simulated"] == [[1.0, 13.5], [2.0, 14.0]]
    assert max(over_time.lines[0].get_ydata()) == 14.0
    figures.write_loop_figure(results, tmp_path / "loop")
    assert "simulated, never among the best" not in {
        one.get_label() for one in drawn[1].axes[1].collections
    }


def test_the_screen_says_how_many_values_count_no_more(results):
    console, display = shown()
    display.begin_with(results)
    display.show_event(5.0, Resumed(("conditions.charge: not set -> 0",), left_out=(2, 4)), None)
    display.show_event(6.0, Ranked(2, (4, 3), (14.5, 14.25), (0.5, 0.25)), None)
    more = replace(simulated(4, 0, 12.0, 2, 7.0), molecule_id=5)
    display.show_event(7.0, Submitted((5,), Source.RANKING, 2), None)
    display.show_event(7.0, Finished(5), more)
    display.show_event(7.0, Stopped("done", End.DONE), None)
    lines = console.export_text().splitlines()
    assert lines[:2] == [
        "going on with 3 values · conditions.charge: not set -> 0",
        "1 of 3 values is outside the conditions, and never among the best.",
    ]
    assert "14.25" in lines[-1]  # not what is left out is the best predicted
    assert "14.00 C" in lines[-1]
    assert "15.25" not in lines[-1]

"""Texts of molecules, settings and other people's runs, as each file and the screen has them."""

import csv
import io
import warnings
from collections import Counter
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from ase.db import connect
from ase.io import read
from hypothesis import example, given, settings
from matplotlib.figure import Figure
from odd_texts import is_seen, texts
from rdkit import Chem
from rich.console import Console
from small_run import STEPS, new_store

from molloop.campaign.events import (
    Began,
    End,
    Ranked,
    RankingBegan,
    Resumed,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.jobs import Simulated
from molloop.config.section import STORED
from molloop.config.settings import Settings
from molloop.goal import Objective, Quantity
from molloop.library.origin import Files
from molloop.library.reading.options import Reading
from molloop.molecule import Geometry, Molecule
from molloop.report import figures, look, tables
from molloop.report.curves import Line, Panel, Point, write_curves, write_front
from molloop.report.display import RunDisplay
from molloop.report.export import Exported, export
from molloop.report.notebook import results_html
from molloop.report.page import plots
from molloop.report.page.feed import Feed
from molloop.report.page.render import about, frozen_document
from molloop.report.page.render import texts as sections
from molloop.report.predictions import write_predictions_figure
from molloop.report.progress import ProgressDisplay
from molloop.report.status import Status
from molloop.report.structures import Structure, _is_ase_s, renamed, write_structures
from molloop.report.terminal import outcome_table, run_summary, status_table, trials_table
from molloop.results import Results
from molloop.simulate.outcome import Calculation, Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.texts import (
    csv_cell,
    drawn_text,
    sdf_line,
    sdf_lines,
    sheet_cell,
    sheet_lines,
    sheet_text,
    svg_text,
    terminal_text,
    utf8_text,
)

CALCULATION = Calculation(0, 0, "GFN2-xTB", -137.5, "molecule")
WATER = Geometry(np.array([8, 1, 1], dtype="u1"), np.eye(3))
EXAMPLES = (
    "\x1b[31m\u202e\x9b2J\n",
    "a\n$$$$\n\n> <ie_ev>\n7\n\n",
    "\ud800\udc80\0",
    "font-family: #010203; a",
    "[/b] $\\frac{ {0} %s ]]> --> \u96fb",
    '"><img src=x onerror=alert(1)></svg>',
)


def at(function):
    """Run a test with each of the examples, and with few others: it draws or writes files."""
    test = settings(max_examples=20)(given(texts)(function))
    for one in EXAMPLES:
        test = example(one)(test)
    return test


def results_of(text):
    """Return a run of two molecules, of which one failed, that says a text wherever one stands."""
    objective = Objective(Quantity(text, text, text), threshold=1.0)
    name = objective.quantity.name
    outcomes = (
        Success({name: 14.0, f"{text} too": 1.0}, {text: CALCULATION}, {text: WATER}, (text,)),
        Failure(text, text),
        Success({name: 15.0}, {}, {text: WATER}, (text, "b")),
    )
    simulated = tuple(
        Simulated(
            *(number, number, text, text, number, float(number), text, 0.0, 1.0 + number, one),
            text,
        )
        for number, one in enumerate(outcomes)
    )
    events = (
        (0.0, Began(9, 0)),
        (0.0, Submitted((0, 1), Source.INITIAL, 0, 2, text)),
        (1.0, RankingBegan(2, 1)),
        (1.5, Ranked(2, (2, 3), (14.5, 14.0), (0.5, 0.2))),
        (1.5, Submitted((2,), Source.RANKING, 2, 0, text)),
        (4.0, Stopped(text, End.DONE)),
    )
    protocol = SimulationProtocol(simulator=text, quantity=name)
    return Results(objective, protocol, (), events, simulated)


class Kept:
    """A library that has kept two columns, of which one says nothing."""

    def __init__(self, text):
        self.columns = {"mine": text, f"={text}": ""}
        self.kept_names = tuple(self.columns)
        self.title = text

    def kept(self, _molecule_id):
        return self.columns

    def molecule(self, molecule_id):
        return Molecule(molecule_id, self.columns["mine"], self.columns["mine"])


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        content = file.read()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    # a row is a line, for programs that go by lines, but for those of the user's own cells
    more = sum(row["mine"].count("\n") for row in rows)
    assert len(rows) == len(content.splitlines()) - 1 - more
    return rows


@at
def test_tables_have_a_row_a_molecule_and_its_texts(tmp_path_factory, text):
    folder, found = tmp_path_factory.mktemp("tables"), results_of(text)
    found = replace(found, library=Kept(text))
    cell = sheet_cell(text)
    tables.write_training_data(found, folder / "t.csv")
    tables.write_best_molecules(found, found.library.molecule, folder / "b.csv")
    for name in ("t.csv", "b.csv"):
        for row in rows_of(folder / name):
            assert row["smiles"] == csv_cell(text)
            assert row["name"] == row["level"] == cell
            assert row["mine"] == sheet_lines(text)
            assert row[sheet_cell(f"={text}")] == ""
    flags = [row["flags"] for row in rows_of(folder / "t.csv")]
    assert flags == [cell, sheet_cell(f"{text} b")]
    assert [row["batch"] for row in rows_of(folder / "b.csv")] == ["2", "2"]


@at
def test_exported_tables_have_a_row_an_outcome_and_its_texts(tmp_path_factory, text):
    folder, found = tmp_path_factory.mktemp("exports"), results_of(text)
    # whose column is none of these texts
    found = replace(found, objective=Settings().objective(), library=Kept(text))
    assert export(found, "csv", folder / "a.csv") == Exported(3)
    for row in rows_of(folder / "a.csv"):
        assert row["smiles"] == csv_cell(text)
        assert row["name"] == row["level"] == row["worker"] == sheet_cell(text)
        assert row["mine"] == sheet_lines(text)
        assert row[sheet_cell(f"={text}")] == ""
    assert rows_of(folder / "a.csv")[1]["message"] == sheet_cell(text)
    again = pd.read_csv(folder / "a.csv", keep_default_na=False, dtype=str)
    assert again["smiles"].tolist() == [csv_cell(text)] * 3
    assert export(found, "parquet", folder / "a.parquet") == Exported(3)
    frame = pd.read_parquet(folder / "a.parquet")
    assert frame["message"].tolist() == ["", utf8_text(text), ""]
    for name in ("smiles", "name", "mine"):
        assert frame[name].tolist() == [utf8_text(text)] * 3
    assert frame[utf8_text(f"={text}")].tolist() == [""] * 3


@at
def test_names_and_kept_columns_read_back(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("exports") / "a.csv"
    found = results_of(text)
    simulated = [replace(one, smiles="CO") for one in found.simulated]
    objective = Settings().objective()
    found = replace(found, simulated=simulated, objective=objective, library=Kept(text))
    export(found, "csv", path)
    reading = Reading(column="smiles", name_column="name", keep_columns=("mine",))
    [block] = Files.of([str(path)], reading).blocks()
    # as the file has them, blanks around a name left out
    assert [one.strip() for one in block.names] == [csv_cell(text).strip()] * 3
    assert block.kept == {"mine": [sheet_text(sheet_lines(text))] * 3}


@at
def test_structures_are_as_many_and_have_their_texts(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("structures")
    kept = renamed({text: text, "mine": text}, {"smiles", "level", "flags"}.__contains__)
    facts = {"smiles": "O", "level": text, "flags": f"a {text}"} | kept
    found = [Structure("O", WATER, facts, text), Structure("O", WATER, {"level": "last"})]
    drawn = [Structure("O", None, facts, text), found[1]]
    write_structures(folder / "b.sdf", "sdf", drawn)
    first, last = Chem.SDMolSupplier(str(folder / "b.sdf"))
    assert set(first.GetPropNames()) == {*facts, "geometry"}
    assert list(last.GetPropNames()) == ["level"]
    write_structures(folder / "a.sdf", "sdf", found)
    first, last = Chem.SDMolSupplier(str(folder / "a.sdf"), removeHs=False)
    assert first.GetProp("_Name").strip() == sdf_line(text or "O").strip()
    assert first.GetProp("flags") == sdf_lines(f"a {text}")
    assert first.GetProp("level").strip() == sdf_lines(text).strip()
    assert set(first.GetPropNames()) == set(facts)
    assert (last.GetProp("level"), list(last.GetPropNames())) == ("last", ["level"])
    write_structures(folder / "a.xyz", "extxyz", found)
    first, last = read(folder / "a.xyz", ":")
    named = renamed(facts, _is_ase_s)
    assert first.info == {key: utf8_text(value) for key, value in named.items()}
    assert last.info == {"level": "last"}
    write_structures(folder / "a.db", "ase-db", found)
    with connect(folder / "a.db") as database:
        first, last = database.select()
    assert first.flags == utf8_text(f"a {text}")
    assert first.data == {key: utf8_text(value) for key, value in facts.items()}


def test_a_title_ends_no_record(tmp_path):
    odd = "O $$$$ M  END"
    write_structures(tmp_path / "a.sdf", "sdf", [Structure("O", WATER, {"name": odd}, odd)] * 2)
    for one in Chem.SDMolSupplier(str(tmp_path / "a.sdf"), removeHs=False):
        assert one.GetProp("_Name") == one.GetProp("name") == odd
        assert one.GetNumAtoms() == 3


def loop(text, path):
    figures.write_loop_figure(results_of(text), path)


def predictions(text, path):
    write_predictions_figure(results_of(text), path)


def curves(text, path):
    line = Line(*np.arange(8.0).reshape(4, 2))
    write_curves([[Panel(text, text, {text: line})]], text, path)


def front(text, path):
    point = Point(1.0, 2.0, text)
    write_front([point], [point], point, point, text, path)


DRAWN = [(draw, EXAMPLES[0]) for draw in (loop, predictions, curves, front)]
DRAWN += [(loop, EXAMPLES[4]), (predictions, EXAMPLES[2]), (front, EXAMPLES[5])]


@pytest.mark.parametrize(("draw", "text"), DRAWN)
def test_figures_are_drawn_without_a_warning(tmp_path, draw, text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(text, tmp_path / "a")
    assert ElementTree.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "a.png").stat().st_size > 1000


@at
def test_a_text_can_be_drawn(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("figure") / "a"
    with warnings.catch_warnings(), mpl.rc_context(look.LOOK | {"savefig.dpi": 20}):
        warnings.simplefilter("error")
        figure = Figure((1, 1))
        figure.text(0, 0, drawn_text(text))
        look.save(figure, path)
    assert ElementTree.parse(path.with_suffix(".svg")).getroot().tag.endswith("svg")


def a_run(folder):
    with closing(new_store(folder)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    return Feed(folder).run


def said(run, text):
    """Return a run that says a text wherever one stands."""
    stored = utf8_text(text)  # a configuration can hold no other
    asked = {"name": f"x{stored}", "unit": stored, "simulator": f"a:{stored}", "threshold": 1.0}
    environment = {"host": text, "command": [text], "packages": {text: text}}
    environment["library"] = {"name": text}
    return replace(
        run,
        folder=Path(utf8_text(text).replace("\0", "") or "."),
        settings=Settings.model_validate({"property": asked}, context=STORED),
        sessions=[replace(run.sessions[0], config=text, environment=environment)],
        record=results_of(text)._record,
    )


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.names, self.attributes, self.words = Counter(), Counter(), []
        self.comments = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names[tag] += 1
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.comments.append(data)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return a_run(tmp_path_factory.mktemp("run"))


def is_as_plain(text, plain):
    """Whether a page has the tags and attributes of one that says nothing odd."""
    page, other = Tags(text), Tags(plain)
    assert text.encode()
    assert (page.names, page.attributes) == (other.names, other.attributes)
    assert set(page.comments) == set(other.comments)
    assert is_seen("".join(page.words).replace("\n", ""))
    return page


@at
def test_words_of_a_page_bring_no_tags(run, text):
    for make in (sections, about):
        found, plain = make(said(run, f"?{text}")), make(said(run, "?"))
        for name in found:
            is_as_plain(found[name], plain[name])


@settings(max_examples=5)
@example(EXAMPLES[0])
@example(EXAMPLES[3])
@example(EXAMPLES[5])
@given(texts)
def test_figures_of_a_page_bring_no_tags_and_keep_their_texts(run, text):
    one = said(run, text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = is_as_plain(plots.found_over_time(one), plots.found_over_time(said(run, "a")))
        axis = svg_text(one.settings.objective().quantity.symbol, 36)
        assert any(word.startswith(axis) for word in page.words)
        both = plots.side_by_side([one, one], [text, f"{text}b"])
    page = is_as_plain(both, plots.side_by_side([said(run, "a")] * 2, ["a", "b"]))
    assert {f"1 {svg_text(text, 36)}", f"2 {svg_text(f'{text}b', 36)}"} <= set(page.words)


def test_a_page_of_hostile_runs_has_the_tags_of_others(run):
    plain = frozen_document([said(run, "?a"), said(run, "?b")])
    page = frozen_document([said(run, f"?{EXAMPLES[5]}"), said(run, f"?{EXAMPLES[0]}")])
    is_as_plain(page, plain)


@at
def test_a_notebook_shows_no_tags(text):
    is_as_plain(results_html(results_of(f"?{text}")), results_html(results_of("?")))


def printed(*things, width=60):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for one in things:
        console.print(one, soft_wrap=True)
    return console.file.getvalue()


@at
def test_tables_of_the_screen_show_every_text(text):
    found = results_of(text)
    status = Status(
        *(text, text, text, 1, 1, 1.0, 1, 2, 0, 0, {text: 1}, 1, text),
        best=(1.0, text),
        n_beyond_threshold=None,
        best_name=text,
    )
    outcomes = [replace(one.outcome, smiles=text, name=text) for one in found.simulated]
    shown = printed(
        run_summary(found),
        status_table(status),
        outcome_table(outcomes, found.protocol, found.objective.quantity),
        trials_table([[text, text], [text, text]], text),
        width=500,
    )
    assert is_seen(shown.replace("\n", ""))
    assert shown.count(terminal_text(text)) >= 20 or not text


@at
def test_a_run_s_lines_and_its_progress_show_every_text(text):
    console = Console(file=io.StringIO(), width=120, color_system=None)
    progress = ProgressDisplay(console, clock=iter(range(0, 10**6, 100)).__next__)
    stored = utf8_text(text)  # a configuration can hold no other
    asked = {"property": {"name": f"x{stored}", "simulator": f"a:{stored}"}}
    asked["library"] = {"source": f"/a/{stored}"}
    display = RunDisplay(console, Settings.model_validate(asked, context=STORED), progress)
    display.show_event(0.0, Began(3, 0), None)
    display.show_event(0.0, Resumed((text,)), None)
    for one in results_of(text).simulated:
        display.show_event(one.time_s, RankingBegan(one.batch, 1), one)
        display.show_event(one.time_s, Ranked(1, (0,), (14.0,), (0.1,)), one)
    display.show_event(9.0, Stopped(text, End.DONE), None)
    progress.show(text, 0.5, text)
    progress.show(text, 0.6, text)
    shown = console.file.getvalue()
    assert is_seen(shown.replace("\n", ""))
    assert terminal_text(text) in shown

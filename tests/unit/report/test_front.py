"""What a run with several objectives shows."""

import re
from dataclasses import replace

import pytest
from instant import Campaign

import molloop
from molloop import results
from molloop.report.accuracy import Accuracy
from molloop.report.front import front_of
from molloop.report.front_figure import write_front_figure
from molloop.report.page.feed import Run
from molloop.report.page.render import frozen_document
from molloop.report.summary import summary_lines
from molloop.report.terminal import best_table
from molloop.store.record import Record
from molloop.store.records import Session

TWO = [{"quantity": "ie"}, {"quantity": "ea", "direction": "maximise"}]
THREE = [*TWO, {"quantity": "molar_mass", "direction": "minimise"}]


@pytest.fixture(params=[TWO, THREE], ids=["two", "three"])
def ended(request, tmp_path, small_library):
    settings = molloop.load(objectives=request.param, constraints=[{"quantity": "ea", "low": 3.0}])
    campaign = Campaign(
        tmp_path / "run", small_library, settings=settings, policy="ridge", counts=(6, 14, 3)
    )
    campaign.driver.run()
    found = results.read(campaign.store, settings.goal(), *settings.protocols())
    return settings, found


def test_a_figure_shows_each_pair_of_objectives_and_the_hypervolume(ended, tmp_path):
    settings, found = ended
    write_front_figure(found, settings.goal(), tmp_path / "front")
    assert (tmp_path / "front.png").stat().st_size > 10_000
    assert (tmp_path / "front.svg").exists()


def test_the_screen_names_the_front_with_all_its_objectives(ended):
    settings, found = ended
    front = front_of(found)
    lines = "\n".join(summary_lines(found))
    assert f"Pareto front: {front.n} molecules of {len(front.items)}, hypervolume" in lines
    table = best_table(found, 3).renderables[0]
    assert f"on the Pareto front of {len(found.values)}" in table.title
    headings = [str(column.header) for column in table.columns]
    names = [one.quantity.heading for one in settings.goal().objectives]
    assert headings[1 : 1 + len(names)] == names


def test_the_screen_names_the_quantity_whose_model_was_wrong(ended):
    _, found = ended
    wrong = Accuracy(4, 0.5, (0.2, 0.8), 0.1, 0.75, (0.3, 0.9))
    line = summary_lines(replace(found, accuracy={"random molecules": wrong}))[-1]
    assert line.startswith("Model of IE, 4 random molecules: off by 0.50 eV")


def test_the_page_shows_the_front(ended, tmp_path):
    settings, found = ended
    record = Record(settings.objective(), settings.protocol().stage, goal=settings.goal())
    record.take(found.events, found.simulated)
    session = Session("2026-01-02T03:04:05+00:00", settings.to_toml(), {})
    text = frozen_document([Run(tmp_path, settings, [session], record, "done")])
    n = len(record.front())
    assert f"<dt>Pareto front</dt><dd>{n} molecules</dd>" in text
    assert "Constraints: 3 &lt;= EA (eV)" in text
    labels = re.findall(r'aria-label="([^"]*)"', text)
    n_pairs = 1 if len(settings.objectives) == 2 else 3
    assert sum(one.endswith(f"the Pareto front has {n} molecules.") for one in labels) == n_pairs
    assert sum("Hypervolume of the front" in one for one in labels) == 2

"""What replays make of a user's configuration."""

import numpy as np
import pytest

import molloop
from molloop.assembly.cases import SettingsSpace, describe
from molloop.assembly.tables import runnable, table_settings
from molloop.config.load import override
from molloop.errors import InputError
from molloop.replay.campaign import Scenario
from molloop.replay.summary import calibration_line, comparison_rows
from molloop.replay.table import Table

SMALL = {
    "schedule": "batch",
    "initial_training_count": 3,
    "max_training_count": 5,
    "batch_size": 2,
}


@pytest.fixture
def table(small_library):
    values = np.arange(24.0)
    return Table("some where/our values.csv", "logp", small_library, values, np.ones(24))


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (
            {"simulation": {"level": "ipea1", "n_conformers": 4, "timeout_s": 5.0}},
            {
                "level": "ipea1",
                "fidelity": "relaxed",
                "start_geometry": "embedded",
                "n_conformers": 4,
                "max_atoms": 200,
                "quantities": (),
                "solvent": "",
                "reference": "SHE",
                "multiplicity": None,
            },
        ),
        (
            {
                "property": {"name": "gap", "simulator": "mine:gap"},
                "simulation": {"options": {"basis": "x"}},
            },
            {"basis": "x"},
        ),
    ],
)
def test_what_was_tuned_on_another_property_runs_the_user_s_simulation(table, given, options):
    given = molloop.load(**given)
    tuned = override(table_settings(given, table), {"search.policy": "ridge"})
    assert (tuned.property.name, tuned.property.simulator) == ("logp", "table-our_values.csv")
    found = molloop.Settings.from_toml(runnable(tuned, given).to_toml())
    assert found.search.policy == "ridge"
    assert found.protocol() == given.protocol()
    assert found.protocol().options == options
    assert (found.property, found.simulation) == (given.property, given.simulation)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_processes": 0}, "n_processes: got 0, expected 1 at least. None takes one a core."),
        ({"n_seeds": 0}, "n_seeds: got 0"),
        ({"top_k": 0}, "top_k: got 0"),
        ({"n_seeds": 2.5}, "n_seeds: got 2.5"),
    ],
)
def test_how_many_is_one_at_least(table, options, words):
    with pytest.raises(InputError, match=words):
        molloop.compare_policies(table, settings=molloop.load(campaign=SMALL), **options)


def ladder_table(library):
    """Return a table in which a dear value lies near a cheap one, and costs a hundred of it."""
    order = np.random.default_rng(5).permutation(24).astype(float)
    below = order + np.random.default_rng(6).normal(size=24)
    seconds = np.ones(24)
    return Table(
        "levels.csv",
        "ie_ev",
        library,
        order,
        100 * seconds,
        below=((below, seconds),),
        stages=("gfn2", "ipea1"),
    )


LADDER = {
    "stages": [{"level": "gfn2"}, {"level": "ipea1", "max_count": 6}],
    "campaign": {"initial_training_count": 4, "max_training_count": 18},
    "search": {"policy": "ridge"},
}


def test_a_ladder_is_played_beside_one_stage_at_a_time(small_library, tmp_path):
    table, settings = ladder_table(small_library), molloop.load(**LADDER)
    played = molloop.replay_table(table, settings, top_k=5, out=tmp_path)
    found = played.results
    stages = [item.stage for item in found.simulated]
    assert (stages.count("gfn2"), stages.count("ipea1")) == (18, 6)
    assert len(found.values) == 6
    assert set(found.values.values()) <= set(range(24))
    time_s = max(item.ended_s for item in found.simulated)
    assert time_s == pytest.approx(618.0, abs=3.0)
    alone, again = played.beside
    # a value a hundred seconds
    assert (alone.name, alone.n_values) == ("ipea1 alone", 6)
    assert again.name == "gfn2, the best again by ipea1"
    assert again.n_values == 6
    rows = (tmp_path / "expected_molecules.csv").read_text().splitlines()
    assert rows[0] == (
        "rank,smiles,name,ie_ev_gfn2,ie_ev_ipea1,expected_ie_ev,expected_ie_ev_low,"
        "expected_ie_ev_high,expected_ie_ev_std,known_in"
    )
    assert len(rows) == 19
    expected = [float(row.split(",")[5]) for row in rows[1:]]
    assert expected == sorted(expected, reverse=True)
    known = [row for row in rows if row.endswith("ipea1")]
    assert len(known) == 6
    for row in known:
        value, mean, low, high = row.split(",")[4:8]
        assert value == mean == low == high
    training = (tmp_path / "training_data.csv").read_text().splitlines()
    assert len(training) == 1 + 18 + 6


def test_a_table_and_a_configuration_have_the_same_stages(small_library, table):
    with pytest.raises(InputError, match="stages: is missing, expected those of the table"):
        molloop.replay_table(ladder_table(small_library))
    with pytest.raises(InputError, match="stages: got 'gfn2, ipea1', expected none"):
        molloop.replay_table(table, molloop.load(**LADDER))


def test_ladders_are_compared_by_time_with_one_stage_at_a_time(small_library, tmp_path):
    found = molloop.compare_policies(
        ladder_table(small_library),
        ("ridge", "random"),
        molloop.load(**LADDER),
        n_seeds=2,
        top_k=5,
        out=tmp_path,
        n_processes=1,
    )
    again = "gfn2, the best again by ipea1"
    assert list(found.curves) == ["ridge", "random", "ipea1 alone", again]
    for ladder, last, both in zip(
        found.curves["ridge"], found.curves["ipea1 alone"], found.curves[again], strict=True
    ):
        # a value below takes a second, one of the last stage a hundred
        assert ladder.n_values == (18, 6)
        assert ladder.times_s[-1] == pytest.approx(618.0, abs=3.0)
        assert last.n_values == (6,)
        assert both.n_values == (18, 6)
        assert both.times_s[18:].tolist() == pytest.approx(
            [118.0, 218.0, 318.0, 418.0, 518.0, 618.0], abs=3.0
        )
        assert both.recall[17] == 0
        # of 24 molecules in an order with a noise of one place, the best are computed again
        assert both.recall[-1] >= last.recall[-1]
    rows = comparison_rows(found)
    assert rows[0][1:4] == ["top 5 after 155 s", "after 309 s", "after 618 s"]
    assert rows[4][0] == again
    assert calibration_line(found).startswith("Values within one predicted deviation (68% would")
    assert "others" not in calibration_line(found)
    assert (tmp_path / "comparison.png").exists()


def test_a_search_tries_other_counts_of_a_ladder(small_library, tmp_path):
    table, settings = ladder_table(small_library), molloop.load(**LADDER)
    space = SettingsSpace(settings, table, Scenario())
    drawn = [space.draw(np.random.default_rng(seed)) for seed in range(40)]
    counts = {one.max_counts() for one in drawn}
    assert {first for first, _ in counts} == {18}
    above = {last for _, last in counts}
    assert len(above) > 5
    assert min(above) >= 1
    assert max(above) <= 18
    assert [one.level for one in drawn[0].stages] == ["gfn2", "ipea1"]
    assert describe(settings).endswith("18 then 6 of the stages")
    shares = molloop.load(
        **{**LADDER, "stages": [{"level": "gfn2"}, {"level": "ipea1", "share": 0.4}]}
    )
    drawn = SettingsSpace(shares, table, Scenario()).draw(np.random.default_rng(1))
    assert 0.1 <= drawn.stages[1].share <= 0.4
    found = molloop.tune_settings(table, settings, n_trials=3, top_k=5, out=tmp_path, n_processes=1)
    tuned = molloop.load(tmp_path / "tuned.toml")
    assert [one.stage for one in tuned.protocols()] == ["gfn2", "ipea1"]
    assert tuned == found.unseen[0].settings

"""Predictions of a run with several objectives and constraints."""

from contextlib import closing
from math import erf, sqrt

import numpy as np
import pandas as pd
import pytest

import molloop
from molloop.campaign.events import Began, Finished, Ranked, RankingBegan, Source, Submitted
from molloop.campaign.jobs import Simulated
from molloop.errors import InputError
from molloop.goal import Constraint, Direction, Goal, Objective, Quantity
from molloop.search import predict
from molloop.search.policy import fitted
from molloop.search.predict_goals import PredictedGoal, best_of_goal
from molloop.simulate.outcome import Success
from molloop.store.records import Session, stage_of
from molloop.store.run_dir import STORE
from molloop.store.writer import Store

# of the small library, by their ids; the second has no EA
VALUES = {0: (14.0, -5.0), 3: (13.0, None), 5: (11.5, -4.0), 7: (12.0, -1.0), 9: (15.0, -3.0)}
SECTIONS = {
    "objectives": [{"quantity": "ie"}, {"quantity": "molar_mass", "direction": "minimise"}],
    "constraints": [{"quantity": "ea", "low": -4.5}],
}


@pytest.fixture
def run(tmp_path, small_library, small_smi, monkeypatch):
    """Store a run of five molecules, whose next ranking is the second."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = molloop.load(library={"source": str(small_smi)}, search={"policy": "gp"}, **SECTIONS)
    session = Session("now", settings.to_toml(), {"library": small_library.describe()})
    (folder := tmp_path / "run").mkdir()
    (folder / "config.toml").write_text(session.config)
    simulated = []
    for number, (key, (ie, ea)) in enumerate(VALUES.items()):
        values = {"ie": ie, "molar_mass": small_library.known("amw", key)}
        values |= {} if ea is None else {"ea": ea}
        place = (number, key, "gfn2", small_library.smiles(key), 0, 1.0, "w", 0.0, 1.0)
        simulated.append(Simulated(*place, Success(values)))
    began = [Began(24, 0), Submitted(tuple(VALUES), Source.INITIAL, 0)]
    ended = [Finished(key, value=ie, values=(ie,)) for key, (ie, _) in VALUES.items()]
    stages = [stage_of(settings.protocol())]
    with closing(Store.create(folder / STORE, session, (), stages)) as store:
        store.append(0.0, began, [], [])
        store.append(1.0, [*ended, RankingBegan(1, 5), Ranked(1, (), (), ())], simulated, [])
    return folder, settings


def test_it_says_what_the_model_of_each_quantity_expects(run, small_library):
    folder, settings = run
    found = molloop.predict(folder)
    frame = found.frame()
    assert (found.n_values, found.n_molecules, len(frame)) == (5, 24, 24)
    assert list(frame.columns) == [
        *("smiles", "name", "predicted_ie_ev", "predicted_ie_ev_std", "ie_ev"),
        *("molar_mass_g_per_mol", "predicted_ea_ev", "predicted_ea_ev_std", "ea_ev"),
        *("chance_of_constraints", "level", "fidelity"),
    ]
    assert frame["ie_ev"].dropna().to_dict() == {key: ie for key, (ie, _) in VALUES.items()}
    known = {key: ea for key, (_, ea) in VALUES.items() if ea is not None}
    assert frame["ea_ev"].dropna().to_dict() == known
    masses = [small_library.known("amw", key) for key in range(24)]
    assert frame["molar_mass_g_per_mol"].tolist() == masses
    # as the second ranking draws, the models one after the other
    rng = np.random.default_rng((settings.campaign.seed, 2))
    everything = small_library.features("descriptors", list(range(24)))
    for name, values in (("ie", {key: ie for key, (ie, _) in VALUES.items()}), ("ea", known)):
        features = small_library.features("descriptors", list(values))
        given = settings.policy(), features, np.array(list(values.values())), rng
        model = fitted(*given, are_sought=name == "ie")
        mean, std = model.predict(everything)
        assert frame[f"predicted_{name}_ev"].tolist() == pytest.approx(mean.tolist(), rel=1e-9)
        assert frame[f"predicted_{name}_ev_std"].tolist() == pytest.approx(std.tolist(), rel=1e-9)
    spread = model.scatter(std)
    above = [(1 - erf((-4.5 - m) / s / sqrt(2))) / 2 for m, s in zip(mean, spread, strict=True)]
    assert frame["chance_of_constraints"].tolist() == pytest.approx(above, abs=1e-9)


def test_the_best_are_those_that_no_other_is_expected_to_beat(run, monkeypatch):
    folder, _ = run
    frame = molloop.predict(folder).frame()
    held = frame[frame["predicted_ea_ev"] >= -4.5]
    points = held[["predicted_ie_ev", "molar_mass_g_per_mol"]].to_numpy() * [1, -1]
    ranks, left = {}, list(range(len(held)))
    for rank in range(len(held)):
        front = [
            a
            for a in left
            if not any(
                (points[b] >= points[a]).all() and (points[b] > points[a]).any() for b in left
            )
        ]
        ranks |= {held.index[one]: rank for one in front}
        left = [one for one in left if one not in front]
    expected = sorted(ranks, key=lambda key: (ranks[key], -frame.loc[key, "predicted_ie_ev"], key))
    for chunk in (predict.CHUNK, 5):
        monkeypatch.setattr(predict, "CHUNK", chunk)
        for n in (1, 4, 24):
            found = molloop.predict(folder, n)
            assert found.frame().index.tolist() == expected[:n]
            assert found.n_molecules == min(n, len(expected))


def test_a_file_and_a_run_without_a_value(run, tmp_path, small_library):
    folder, settings = run
    found = molloop.predict(folder, 3)
    found.write(tmp_path / "a.parquet")
    frame = pd.read_parquet(tmp_path / "a.parquet").set_index("molecule_id")
    assert frame.equals(found.frame())
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.toml").write_text(settings.to_toml())
    session = Session("now", settings.to_toml(), {"library": small_library.describe()})
    stages = [stage_of(settings.protocol())]
    Store.create(tmp_path / "empty" / STORE, session, (), stages).close()
    with pytest.raises(molloop.InputError, match="a run without a value"):
        molloop.predict(tmp_path / "empty")


def test_of_one_objective_the_largest_means_that_keep_the_bounds_are_the_best():
    ie, gap = Quantity("IE"), Quantity("gap")
    goal = Goal((Objective(ie, Direction.MINIMISE),), (Constraint(gap, low=2.0),))
    means = np.array([[-5.0, 3.0], [-4.0, 1.9], [-7.0, 2.0], [-5.0, 9.0]])
    part = PredictedGoal(np.arange(4), means, np.zeros((4, 2)), np.ones(4))
    assert best_of_goal(goal, [part.rows(np.arange(2, 4)), part], 9).ids.tolist()[:2] == [0, 3]
    assert best_of_goal(goal, [part], 2).ids.tolist() == [0, 3]
    assert best_of_goal(goal, [], 2).ids.tolist() == []


def test_on_a_ladder_values_below_say_what_is_expected_of_the_last_ones(
    tmp_path, small_library, small_smi, monkeypatch
):
    """Two pairs: the IE falls by 3 and the EA rises by 1 from the first stage to the last."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    settings = molloop.load(
        library={"source": str(small_smi)},
        search={"policy": "ridge"},
        objectives=[{"quantity": "ie"}],
        constraints=[{"quantity": "ea", "low": -3.5}],
        stages=[{"level": "gfn2"}, {"level": "ipea1"}],
    )
    below = {key: values for key, values in VALUES.items() if values[1] is not None}
    above = {key: (below[key][0] - 3.0, below[key][1] + 1.0) for key in (0, 9)}
    rows = [("gfn2", *one) for one in VALUES.items()] + [("ipea1", *one) for one in above.items()]
    session = Session("now", settings.to_toml(), {"library": small_library.describe()})
    (folder := tmp_path / "run").mkdir()
    (folder / "config.toml").write_text(session.config)
    events, simulated = [Began(24, 0)], []
    for number, (stage, key, (ie, ea)) in enumerate(rows):
        values = {"ie": ie} | ({} if ea is None else {"ea": ea})
        place = (number, key, stage, small_library.smiles(key), 0, 1.0, "w", 0.0, 1.0)
        simulated.append(Simulated(*place, Success(values)))
        events.append(Submitted((key,), Source.INITIAL, 0, 1, stage))
    events += [Finished(key, "", 1.0, ie, stage, values=(ie, ea)) for stage, key, (ie, ea) in rows]
    with closing(
        Store.create(folder / STORE, session, (), map(stage_of, settings.protocols()))
    ) as store:
        store.append(1.0, events, simulated, [])
    frame = molloop.predict(folder).frame()
    for key, (ie, ea) in below.items():
        assert frame.loc[key].predicted_ie_ev == pytest.approx(ie - 3.0)
        assert frame.loc[key].predicted_ea_ev == pytest.approx(ea + 1.0)
    assert frame["ie_ev"].dropna().to_dict() == {key: ie for key, (ie, _) in above.items()}
    # an EA of 0 is expected of the molecule 7, and -3 of the molecule 5
    half = (1 - erf((-3.5 - 0.0) / frame.loc[7].predicted_ea_ev_std / sqrt(2))) / 2
    assert frame.loc[7].chance_of_constraints == pytest.approx(half)
    # the first stage's model and the differences say it of others
    assert (frame.loc[[1, 2]].predicted_ie_ev < 12.5).all()
    refused = molloop.load(
        objectives=SECTIONS["objectives"], stages=[{"level": "gfn2"}, {"level": "ipea1"}]
    )
    with pytest.raises(InputError, match="stages, or a goal"):
        molloop.replay_table(None, refused)

"""The driver with an engine that computes at once, in an order of its own."""

import random

import numpy as np
import pytest

from molloop.campaign.design import InitialDesign
from molloop.campaign.driver import Driver
from molloop.campaign.engine import Ranking, Simulations
from molloop.campaign.schedule import Batch
from molloop.campaign.state import Began, Finished, Ranked, Stopped, Submitted
from molloop.campaign.store import Known, Store
from molloop.campaign.warm_start import WarmStart, read_warm_start
from molloop.config import Settings
from molloop.errors import EngineError
from molloop.search import rank
from molloop.search.policy import POLICIES
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol


def fake_value(smiles):
    return 10.0 + len(smiles) + smiles.count("F")


class InstantEngine:
    def __init__(self, folder, seed=0, failing=(), breaks_after=None):
        self.folder = folder
        self.order = random.Random(seed)
        self.failing = failing
        self.breaks_after = breaks_after
        self.pending = []
        self.requests = []
        self.time_s = 0.0

    def now(self):
        return self.time_s

    def n_workers(self):
        return 1

    def simulate(self, group):
        self.pending.append(group)

    def rank(self, request):
        self.pending.append(request)
        self.requests.append(request)

    def wait(self, timeout_s):  # noqa: ARG002 - the protocol's
        self.time_s += 1.0
        if self.breaks_after is not None and self.time_s > self.breaks_after:
            raise EngineError("The workers are gone.", "Start again.")
        n = self.order.randint(1, len(self.pending))
        chosen = [self.pending.pop(self.order.randrange(len(self.pending))) for _ in range(n)]
        return [
            self.ranked(item) if item in self.requests else self.simulated(item) for item in chosen
        ]

    def simulated(self, group):
        outcomes = tuple(
            Failure("embedding", smiles, "gfn2", "relaxed")
            if smiles in self.failing
            else Success(fake_value(smiles), "gfn2", "relaxed")
            for smiles in group.smiles
        )
        return Simulations(group, outcomes, "me", self.time_s - 0.5, self.time_s)

    def ranked(self, request):
        folder = self.folder / f"ranking-{request.number}"
        folder.mkdir()
        task = rank.RankTask(folder, request.policy, request.n, request.seed)
        request.training.write(task.training)
        return Ranking(request, rank.rank(task, request.shards))

    def close(self):
        pass


class Campaign:
    def __init__(
        self,
        folder,
        library,
        warm_start=None,
        counts=(4, 12, 3),
        settings=None,
        policy="published",
        **engine,
    ):
        folder.mkdir()
        settings = settings or Settings()
        warm_start = warm_start or read_warm_start(None, "ie_ev", settings.protocol(), library)
        known = [item.molecule_id for item in warm_start.known if item.molecule_id is not None]
        self.events = []
        self.engine = InstantEngine(folder, **engine)
        self.store = Store(folder / "campaign.sqlite", create=True)
        schedule = Batch(InitialDesign(library.n_molecules, 42, known), *counts)
        self.driver = Driver(
            self.engine,
            self.store,
            library,
            schedule,
            POLICIES[policy],
            settings.target(),
            settings.protocol(),
            warm_start,
            42,
            lambda time_s, event, item: self.events.append((time_s, event, item)),
        )

    def rows(self):
        return [
            (item.proposal, item.molecule_id, item.smiles, item.batch, item.outcome)
            for item in self.store.simulated()
        ]


def test_a_run_from_begin_to_end(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    state = campaign.driver.run()
    assert state.n_values == 12
    rows = campaign.rows()
    assert [row[0] for row in rows] == list(range(12))
    assert [row[3] for row in rows] == [0] * 4 + [1] * 3 + [2] * 3 + [3] * 2
    for _, molecule_id, smiles, _, outcome in rows:
        assert small_library.smiles(molecule_id) == smiles
        assert outcome.value == fake_value(smiles)
    assert len({row[1] for row in rows}) == 12


def test_what_is_told_is_stored_first_and_in_the_same_order(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library)
    campaign.driver.run()
    assert [(time_s, event) for time_s, event, _ in campaign.events] == campaign.store.events()
    told = [event for _, event, _ in campaign.events]
    assert told[0] == Began(24, 0)
    assert isinstance(told[1], Submitted)
    assert isinstance(told[-1], Stopped)
    for _, event, item in campaign.events:
        if isinstance(event, Finished):
            assert item.molecule_id == event.molecule_id


@pytest.mark.parametrize("policy", POLICIES)
def test_the_order_in_which_simulations_end_changes_nothing(tmp_path, small_library, policy):
    runs = []
    for seed in range(4):
        campaign = Campaign(
            tmp_path / f"run-{seed}",
            small_library,
            seed=seed,
            failing=("CO", "FC(F)F", "CCC"),
            policy=policy,
        )
        campaign.driver.run()
        rankings = [event for event in campaign.events if isinstance(event[1], Ranked)]
        runs.append((campaign.rows(), [event for _, event, _ in rankings]))
    assert runs[0][1]
    assert all(run == runs[0] for run in runs)


def test_a_request_holds_all_that_is_known(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, failing=("CO", "CCO", "C=O", "C#N"))
    campaign.driver.run()
    for request in campaign.engine.requests:
        before = [row for row in campaign.rows() if row[3] < request.number]
        ok = [row for row in before if isinstance(row[4], Success)]
        assert request.training.values.tolist() == [row[4].value for row in ok]
        assert sorted(request.training.tried) == sorted(row[1] for row in before)
        expected = small_library.features("fingerprints", [row[1] for row in ok])
        assert np.array_equal(request.training.features, expected)
        assert request.seed == (42, request.number)


def test_known_values_train_and_are_not_simulated(tmp_path, small_library):
    (tmp_path / "known.csv").write_text("smiles,ie_ev\nOC,15.0\nCCCCCC,13.0\nFC(F)F,17.0\n")
    warm_start = read_warm_start(
        tmp_path / "known.csv", "ie_ev", SimulationProtocol(), small_library
    )
    campaign = Campaign(tmp_path / "run", small_library, warm_start)
    campaign.driver.run()
    smiles = [row[2] for row in campaign.rows()]
    assert len(smiles) == 12
    assert not {"CO", "FC(F)F"} & set(smiles)
    first = campaign.engine.requests[0]
    assert first.training.values.tolist() == [15.0, 13.0, 17.0, fake_value(smiles[0])]
    assert len(first.training.features) == 4
    assert {item.molecule_id for item in warm_start.known} - {None} <= set(
        first.training.tried.tolist()
    )


def test_a_library_that_is_known_whole_ends_at_once(tmp_path, small_library):
    known = tuple(Known(small_library.smiles(k), 15.0, k) for k in range(24))
    kinds = ("fingerprints", "descriptors")
    features = {kind: small_library.features(kind, range(24)) for kind in kinds}
    warm_start = WarmStart(known, features)
    campaign = Campaign(tmp_path / "run", small_library, warm_start)
    state = campaign.driver.run()
    assert state.stopped == Stopped("every molecule of the library has been tried", ok=True)
    assert campaign.rows() == []


def test_what_was_computed_before_the_engine_broke_is_stored(tmp_path, small_library):
    campaign = Campaign(tmp_path / "run", small_library, breaks_after=3.0)
    with pytest.raises(EngineError):
        campaign.driver.run()
    n_told = sum(isinstance(event, Finished) for _, event, _ in campaign.events)
    assert n_told == len(campaign.rows()) > 0


def test_minimising_is_maximising_the_opposite(tmp_path, small_library):
    smallest = Settings.model_validate({"property": {"direction": "minimise"}})
    campaign = Campaign(tmp_path / "run", small_library, settings=smallest)
    campaign.driver.run()
    values = {row[1]: row[4].value for row in campaign.rows()}
    rankings = [event for _, event, _ in campaign.events if isinstance(event, Ranked)]
    for ranking in rankings:
        # predictions have the property's own sign, the best, which is the smallest, first
        assert list(ranking.means) == sorted(ranking.means)
        assert all(min(values.values()) <= mean <= max(values.values()) for mean in ranking.means)
    assert all(request.training.values.max() < 0 for request in campaign.engine.requests)

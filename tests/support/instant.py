"""An engine that computes at once, in an order of its own, and campaigns that run on it."""

import math
import random
from dataclasses import replace
from itertools import count

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.driver import Driver
from molloop.campaign.ending import Interruption
from molloop.campaign.engine import LostGroup, LostRanking, Ranking, Simulations
from molloop.campaign.plan import Plan
from molloop.campaign.schedule import Batch, Interleaved
from molloop.campaign.stage_plan import StagePlan
from molloop.campaign.warm_start import read_warm_start
from molloop.config.settings import Settings
from molloop.errors import EngineError
from molloop.library.selection import bits_of
from molloop.search import rank
from molloop.search.policy import policy_named
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Session
from molloop.store.writer import Store


def fake_value(smiles):
    return 10.0 + len(smiles) + smiles.count("F")


def value_above(smiles):
    """Return the value in a stage above the first: lower, and of another order."""
    return fake_value(smiles) - 4.0 + 1.5 * smiles.count("O")


def other_value(smiles):
    """Return the value of a second quantity, which falls as the first one rises."""
    return 5.0 - 0.4 * len(smiles) + 1.5 * smiles.count("O") + smiles.count("N")


class InstantEngine:
    def __init__(
        self,
        folder,
        seed=0,
        failing=(),
        breaks_after=None,
        failing_above=(),
        first="",
        further=(),
        without=(),
        without_above=(),
    ):
        self.failing_above = failing_above
        self.further = further  # names of quantities that simulations give beside the first
        self.without = without  # SMILES of molecules that have none of them
        self.without_above = without_above  # that have none in stages above the first
        self.first = first  # the only stage, or the first one
        self.folder = folder
        self.order = random.Random(seed)
        self.failing = failing
        self.breaks_after = breaks_after
        self.pending = []
        self.requests = []
        self.time_s = 0.0
        self.on_wait = None
        self.is_halted = False
        self.has_any_worker = True
        self.n_lost_rankings = 0  # that are still to be lost
        self.finishes_when_halted = True
        self.loses = {}  # SMILES -> how often, and what

    def now(self):
        return self.time_s

    def n_workers(self):
        return 1

    def has_workers(self):
        return self.has_any_worker

    def simulate(self, group):
        self.pending.append(group)

    def rank(self, request):
        self.pending.append(request)
        self.requests.append(request)

    def wait(self, timeout_s):
        self.time_s += 1.0 if timeout_s else 0.0
        if self.breaks_after is not None and self.time_s > self.breaks_after:
            raise EngineError("The workers are gone.", "Start again.")
        if self.on_wait is not None:
            self.on_wait(self)
        if self.is_halted and not self.finishes_when_halted:
            return []
        n = self.order.randint(1, len(self.pending))
        chosen = [self.pending.pop(self.order.randrange(len(self.pending))) for _ in range(n)]
        return [
            self.ranked(item) if item in self.requests else self.simulated(item) for item in chosen
        ]

    def simulated(self, group):
        for smiles in (one.smiles for one in group.molecules):
            n_left, what = self.loses.get(smiles, (0, ""))
            if n_left:
                self.loses[smiles] = (n_left - 1, what)
                return LostGroup(group, what, "it is gone")
        is_first = group.stage == self.first
        failing, value = (
            (self.failing, fake_value) if is_first else (self.failing_above, value_above)
        )
        outcomes = tuple(
            Failure("embedding", smiles)
            if smiles in failing
            else Success({"ie": value(smiles)} | self.others(smiles, is_first))
            for smiles in (one.smiles for one in group.molecules)
        )
        times_s = ((self.time_s - 0.5, self.time_s),) * len(outcomes)
        return Simulations(group, outcomes, "me", times_s)

    def others(self, smiles, is_first):
        lacking = self.without if is_first else (*self.without, *self.without_above)
        names = () if smiles in lacking else self.further
        return dict.fromkeys(names, other_value(smiles))

    def ranked(self, request):
        if self.n_lost_rankings:
            self.n_lost_rankings -= 1
            return LostRanking(request, "OSError: stale")
        folder = self.folder / f"ranking-{request.number}"
        folder.mkdir(exist_ok=True)
        task = rank.RankTask(folder, request.policy, request.n, request.seed, request.goal)
        request.training.write(task.training)
        return Ranking(request, rank.rank(task, request.shards))

    def halt(self, grace_s):
        self.is_halted = True
        self.grace_s = grace_s

    def close(self):
        pass


SESSION = Session("2026-01-02T03:04:05+00:00", "", {})


class Campaign:
    def __init__(
        self,
        folder,
        library,
        warm_start=None,
        counts=(4, 12, 3),
        settings=None,
        policy="published",
        retrain_after=None,
        store=None,
        time_limit_s=math.inf,
        selection=None,
        ranks_anew=False,
        dispatch=None,
        **engine,
    ):
        folder.mkdir(exist_ok=True)
        settings = settings or Settings()
        protocols = settings.protocols()
        warm_start = warm_start or read_warm_start(None, "ie_ev", protocols[0], library)
        self.events = []
        further = tuple(one.name for one in protocols[0].beside if not one.descriptor)
        stage = protocols[0].stage
        self.engine = InstantEngine(folder, first=stage, further=further, **engine)
        self.store = store or Store.create(folder / "campaign.sqlite", SESSION, warm_start.known)
        bits = None if selection is None else bits_of(selection)
        plan = Plan(
            InitialDesign(library.n_molecules, 42, bits), dispatch or Dispatch(4), *counts, 1.0
        )
        above = tuple(
            StagePlan(protocol, replace(plan, max_training_count=count), stage.share)
            for protocol, count, stage in zip(
                protocols[1:], settings.max_counts()[1:], settings.stages[1:], strict=True
            )
        )
        self.interruption = Interruption()
        self.driver = Driver(
            self.engine,
            self.store,
            library,
            Batch(plan) if retrain_after is None else Interleaved(plan, retrain_after),
            policy_named(policy) if isinstance(policy, str) else policy,
            settings.objective(),
            protocols[0],
            warm_start,
            42,
            lambda time_s, event, item: self.events.append((time_s, event, item)),
            self.interruption,
            grace_s=5.0,
            time_limit_s=time_limit_s,
            selection=selection,
            remarks=("a remark",) if selection else (),
            ranks_anew=ranks_anew,
            above=above,
            goal=settings.goal().wider,
        )

    def rows(self):
        return [
            (item.proposal, item.molecule_id, item.smiles, item.batch, item.outcome)
            for item in self.store.simulated()
        ]

    def jobs(self):
        """Return the same with the stage of each."""
        return [
            (item.stage, *row)
            for item, row in zip(self.store.simulated(), self.rows(), strict=True)
        ]


class Killed(BaseException):
    """As sudden as a signal 9: nothing of the driver runs after it."""


def killing(monkeypatch, after):
    """Have the store die before or after its n-th transaction is committed."""
    whole = Store.append
    n_left = [after // 2]

    def append(self, *arguments):
        n_left[0] -= 1
        if n_left[0] < 0 and not after % 2:
            raise Killed
        whole(self, *arguments)
        if n_left[0] < 0:
            raise Killed

    monkeypatch.setattr(Store, "append", append)


def go_on(tmp_path, library, name, **options):
    store = Store.open(tmp_path / name / "campaign.sqlite")
    campaign = Campaign(tmp_path / name, library, store=store, **options)
    campaign.driver.run()
    return campaign


def killed_anywhere(folder, library, monkeypatch, **options):
    """Kill a run after each transaction in turn, and go on with it, until one ends by itself.

    Yield its rows when it was killed, the time of its last event then (0 before the first), and the
    campaign that went on.
    """
    for after in count():
        name = f"run-{after}"
        with monkeypatch.context() as patch:
            killing(patch, after)
            campaign = Campaign(folder / name, library, seed=after, **options)
            try:
                campaign.driver.run()
            except Killed:
                pass
            else:
                campaign.store.close()
                return
        before, events = campaign.jobs(), campaign.store.events()
        campaign.store.close()
        resumed = go_on(folder, library, name, seed=after + 1, **options)
        yield before, events[-1][0] if events else 0.0, resumed
        resumed.store.close()

"""One campaign over a table: the driver that runs simulations, on an engine that looks them up."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from math import inf, isnan

import numpy as np

from molloop.campaign.driver import Driver
from molloop.campaign.schedule import make_schedule
from molloop.campaign.store import Store
from molloop.campaign.warm_start import WarmStart
from molloop.errors import InputError
from molloop.execution.virtual import Costs, VirtualEngine
from molloop.replay.table import Table
from molloop.settings import Settings
from molloop.simulate.outcome import Failure, Outcome, Success

LEVEL, FIDELITY = "table", "known"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a replay runs on.

    Attributes
    ----------
    failure_rate
        Probability that a simulation fails though the table has its value.
    costs
        Of what is not a simulation.
    """

    n_workers: int = 1
    failure_rate: float = 0.0
    costs: Costs = field(default_factory=Costs)


def replay(
    settings: Settings,
    table: Table,
    scenario: Scenario,
    listener: Callable[..., None] = lambda *_: None,
) -> Store:
    """Run a campaign to its end and return its store, in memory.

    The same arguments give the same run.

    Raises
    ------
    InputError
        It ends before any simulation has.
    """
    seed = settings.campaign.seed
    engine = VirtualEngine(
        _lookup(table),
        scenario.n_workers,
        scenario.costs,
        scenario.failure_rate,
        np.random.default_rng([seed, 1]),
    )
    store = Store.in_memory()
    schedule = make_schedule(settings, table.library.n_molecules, scenario.n_workers)
    nothing_known = WarmStart(
        (), {kind: table.library.features(kind, []) for kind in ("fingerprints", "descriptors")}
    )
    with closing(engine):
        Driver(
            engine,
            store,
            table.library,
            schedule,
            settings.policy(),
            settings.target(),
            settings.protocol(),
            nothing_known,
            seed,
            listener,
            grace_s=settings.campaign.grace_s,
            time_limit_s=settings.stopping.time_limit_s or inf,
        ).run()
    if not store.simulated():
        store.close()
        raise InputError(
            "stopping.time_limit_s",
            settings.stopping.time_limit_s,
            "long enough for one simulation of the table",
            "Raise it, or shorten --durations.",
        )
    return store


def _lookup(table: Table) -> Callable[[int, str], Outcome]:
    def outcome(molecule_id: int, _smiles: str) -> Outcome:
        value, seconds = float(table.values[molecule_id]), float(table.durations_s[molecule_id])
        if isnan(value):
            return Failure("no_value", "the table has none", LEVEL, FIDELITY, seconds=seconds)
        return Success(value, LEVEL, FIDELITY, seconds=seconds)

    return outcome

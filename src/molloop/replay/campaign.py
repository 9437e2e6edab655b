"""One campaign over a table: the driver that runs simulations, on an engine that looks them up."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from math import inf, isnan
from pathlib import Path

import numpy as np

from molloop.assembly.schedule import make_schedule
from molloop.campaign.driver import Driver
from molloop.campaign.events import Stopped
from molloop.campaign.warm_start import read_warm_start
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.execution.virtual import Costs, VirtualEngine
from molloop.library.tables import rows_of
from molloop.replay.table import MADE_BY, Table
from molloop.simulate.outcome import Failure, Outcome, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.store import Store

NOT_SAID = {"level": "table", "fidelity": "own"}


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


@dataclass(frozen=True, slots=True)
class Played:
    """A campaign that has ended: its store, a temporary one, how it ended, and its protocol."""

    store: Store
    stopped: Stopped
    protocol: SimulationProtocol


def replay(
    settings: Settings,
    table: Table,
    scenario: Scenario,
    listener: Callable[..., None] = lambda *_: None,
) -> Played:
    """Run a campaign to its end.

    The same arguments give the same run.

    Raises
    ------
    InputError
        It ends before any simulation has, or its training data cannot be read.
    """
    seed, training_data = settings.campaign.seed, settings.campaign.training_data
    target = settings.target()
    path = Path(training_data) if training_data else None
    protocol = _protocol(table, path)
    warm_start = read_warm_start(path, target.column, protocol, table.library)
    engine = VirtualEngine(
        _lookup(table, protocol),
        scenario.n_workers,
        scenario.costs,
        scenario.failure_rate,
        np.random.default_rng([seed, 1]),
    )
    store = Store.temporary(warm_start.known)
    schedule = make_schedule(settings, table.library.n_molecules, scenario.n_workers)
    with closing(engine):
        state = Driver(
            engine,
            store,
            table.library,
            schedule,
            settings.policy(),
            target,
            protocol,
            warm_start,
            seed,
            listener,
            grace_s=settings.campaign.grace_s,
            time_limit_s=settings.stopping.time_limit_s or inf,
            poll_s=inf,
        ).run()
    if state.stopped is None or not store.simulated():
        store.close()
        raise InputError(
            "the replay",
            state.stopped.reason if state.stopped else "no end",
            "an end after one simulation at least",
            "Raise the limit that ended it, shorten --durations, or leave out what is known.",
        )
    return Played(store, state.stopped, protocol)


def _protocol(table: Table, training_data: Path | None) -> SimulationProtocol:
    """Return how the values were computed: as the table says, else as the known values say.

    That all known values say the same is asked where they are read.
    """
    first: dict[str, str] = {}
    if training_data is not None:
        columns = "campaign.training_data", ("smiles",), MADE_BY
        with rows_of(training_data, *columns) as rows:
            _, first = next(rows, (0, {}))
    level, fidelity = (
        getattr(table, name) or first.get(name) or NOT_SAID[name] for name in MADE_BY
    )
    return SimulationProtocol(options={"level": level, "fidelity": fidelity})


def _lookup(table: Table, protocol: SimulationProtocol) -> Callable[[int, str], Outcome]:
    made_by = protocol.outcome_level, protocol.outcome_fidelity

    def outcome(molecule_id: int, _smiles: str) -> Outcome:
        value, seconds = float(table.values[molecule_id]), float(table.durations_s[molecule_id])
        if isnan(value):
            return Failure("no_value", "the table has none", *made_by, seconds=seconds)
        return Success(value, *made_by, seconds=seconds)

    return outcome

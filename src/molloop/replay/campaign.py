"""One campaign over a table: the driver that runs simulations, on an engine that looks them up."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import inf, isnan
from pathlib import Path

import numpy as np

from molloop.campaign.driver import Driver
from molloop.campaign.events import Stopped
from molloop.campaign.plan import Stopping
from molloop.campaign.schedule import Schedule
from molloop.campaign.stage_plan import StagePlan
from molloop.campaign.warm_start import read_warm_start
from molloop.errors import InputError
from molloop.execution.virtual import Costs, Lookup, VirtualEngine
from molloop.goal import Goal, Objective
from molloop.library.reading.options import Reading
from molloop.library.tables import MADE_BY, is_empty, rows_of
from molloop.replay.table import Table
from molloop.search.policy import Policy
from molloop.simulate.outcome import Failure, Outcome, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.records import stage_of
from molloop.store.writer import Store

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
class Case:
    """What is played: what a campaign over a table needs to be told.

    Attributes
    ----------
    training_data
        A table of values known beforehand.
    grace_s
        How long simulations go on at the time limit.
    training_column, training_level
        Of the values known beforehand; None: the property's, and what each row says.
    training_reading
        What the user says of their file.
    protocols
        Of a run of several stages, how each computes; nothing where there is one.
    above, stopping
        What is spent on the stages above the first, and what ends such a run.
    goal
        What is searched for, where it is more than the objective.
    """

    schedule: Schedule
    policy: Policy
    objective: Objective
    seed: int
    training_data: Path | None = None
    grace_s: float = 0.0
    time_limit_s: float = inf
    training_column: str | None = None
    training_level: str | None = None
    training_reading: Reading | None = None
    protocols: tuple[SimulationProtocol, ...] = ()
    above: tuple[StagePlan, ...] = ()
    stopping: Stopping = field(default_factory=Stopping)
    goal: Goal | None = None

    @property
    def searched(self) -> Goal:
        """What is searched for."""
        return self.goal or Goal((self.objective,))


@dataclass(frozen=True, slots=True)
class Played:
    """A campaign that has ended: its store, a temporary one, how it ended, and its stages."""

    store: Store
    stopped: Stopped
    protocols: tuple[SimulationProtocol, ...]

    @property
    def protocol(self) -> SimulationProtocol:
        """Of the last stage, whose values are searched for."""
        return self.protocols[-1]


def replay(
    case: Case,
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
    protocols = case.protocols or (_protocol(table, case),)
    protocol = protocols[0]
    warm_start = read_warm_start(
        case.training_data,
        case.training_column or case.objective.quantity.column,
        protocol,
        table.library,
        case.training_level,
        case.training_reading,
        case.goal,
    )
    engine = VirtualEngine(
        _lookup(table, protocols),
        scenario.n_workers,
        scenario.costs,
        scenario.failure_rate,
        np.random.default_rng([case.seed, 1]),
    )
    store = Store.temporary(warm_start.known, map(stage_of, protocols))
    with closing(engine):
        state = Driver(
            engine,
            store,
            table.library,
            case.schedule,
            case.policy,
            case.objective,
            protocol,
            warm_start,
            case.seed,
            listener,
            grace_s=case.grace_s,
            time_limit_s=case.time_limit_s,
            poll_s=inf,
            selection=table.selection,
            above=case.above,
            stopping=case.stopping,
            goal=case.goal,
        ).run()
    if state.stopped is None or not store.simulated():
        store.close()
        raise InputError(
            "the replay",
            state.stopped.reason if state.stopped else "no end",
            "an end after one simulation at least",
            "Raise the limit that ended it, shorten --durations, or leave out what is known.",
        )
    return Played(store, state.stopped, protocols)


def _protocol(table: Table, case: Case) -> SimulationProtocol:
    """Return how the values were computed: as the table says, else as the known values say.

    That all known values say the same is asked where they are read.
    """
    first: dict[str, str] = {}
    path, reading = case.training_data, case.training_reading
    if path is not None:
        column = case.training_column or case.objective.quantity.column
        with rows_of(path, "campaign.training_data", (column,), MADE_BY, reading) as rows:
            first = next((cells for _, cells in rows if not is_empty(cells[column])), {})
    level, fidelity = (
        getattr(table, name) or first.get(name) or NOT_SAID[name] for name in MADE_BY
    )
    options = {"level": level, "fidelity": fidelity}
    quantities = case.searched.quantities
    return SimulationProtocol(options=options, quantity=quantities[0], beside=quantities[1:])


def _lookup(table: Table, protocols: Sequence[SimulationProtocol]) -> Lookup:
    columns = {
        protocol.stage: one for protocol, one in zip(protocols, table.of_stages, strict=True)
    }
    quantity = protocols[0].quantity.name
    further = {
        one.name: table.further[one.column]
        for one in protocols[0].beside
        if one.column in table.further
    }

    def outcome(molecule_id: int, _smiles: str, stage: str) -> Outcome:
        values, durations_s = columns[stage]
        value, seconds = float(values[molecule_id]), float(durations_s[molecule_id])
        if isnan(value):
            return Failure("no_value", "the table has none", seconds)
        flags = table.flags.get(molecule_id, ())
        named = {name: float(column[molecule_id]) for name, column in further.items()}
        found = {name: one for name, one in named.items() if not isnan(one)}
        return Success({quantity: value, **found}, flags=flags, seconds=seconds)

    return outcome

"""The loop itself: actions to the engine, completions to events, until the schedule stops it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from molloop.campaign.engine import Completion, Engine, Group, Ranking, RankRequest, Simulations
from molloop.campaign.schedule import Action, Rank, Schedule, Simulate, Stop
from molloop.campaign.state import (
    Began,
    Event,
    Finished,
    Ranked,
    RankingBegan,
    State,
    Stopped,
    Submitted,
    add_up,
)
from molloop.campaign.store import Simulated, Store
from molloop.campaign.warm_start import WarmStart
from molloop.library.shards import Library
from molloop.search.policy import Policy
from molloop.search.rank import Training
from molloop.simulate.outcome import Success
from molloop.simulate.property import Property
from molloop.simulate.protocol import SimulationProtocol

POLL_S = 0.5
Listener = Callable[[float, Event, Simulated | None], None]


@dataclass
class Driver:
    """One campaign: the only thing here that changes. One thread; time comes from the engine.

    Attributes
    ----------
    seed
        Ranking number k draws from ``default_rng([seed, k])``.
    listener
        Called with the time, each event once it is stored, and the outcome that it tells of.
    """

    engine: Engine
    store: Store
    library: Library
    schedule: Schedule
    policy: Policy
    target: Property
    protocol: SimulationProtocol
    warm_start: WarmStart
    seed: int
    listener: Listener
    state: State = field(default_factory=State)
    _proposal_of: dict[int, tuple[int, int]] = field(default_factory=dict)

    def run(self) -> State:
        """Go on until the schedule stops the campaign, and return the last state.

        Raises
        ------
        EngineError, StoreError
            What was computed until then is stored.
        """
        self._advance([Began(self.library.n_molecules, len(self.warm_start.known))], [])
        while self.state.stopped is None:
            completions = self.engine.wait(POLL_S)
            if completions:
                self._advance(*self._read(completions))
        return self.state

    def _advance(self, events: Sequence[Event], simulated: Sequence[Simulated]) -> None:
        """Store what happened and what follows from it, in one transaction; then act on it."""
        state = add_up(events, self.state)
        actions = self.schedule.decide(state)
        following = [self._event(action, state) for action in actions]
        now_s = self.engine.now()
        self.store.append(now_s, [*events, *following], simulated)
        self.state = add_up(following, state)
        outcomes = {item.molecule_id: item for item in simulated}
        for event in [*events, *following]:
            finished = outcomes.get(event.molecule_id) if isinstance(event, Finished) else None
            self.listener(now_s, event, finished)
        for action in actions:
            self._act(action)

    def _read(self, completions: Sequence[Completion]) -> tuple[list[Event], list[Simulated]]:
        events: list[Event] = []
        simulated: list[Simulated] = []
        for completion in completions:
            match completion:
                case Simulations():
                    for item in self._simulated(completion):
                        simulated.append(item)
                        ok = isinstance(item.outcome, Success)
                        events.append(Finished(item.molecule_id, ok))
                case Ranking(request, chosen):
                    # the search maximises, whatever the property's direction
                    arrays = (chosen.ids, self.target.sign * chosen.means, chosen.stds)
                    ids, means, stds = (tuple(array.tolist()) for array in arrays)
                    events.append(Ranked(request.number, ids, means, stds))
        return events, simulated

    def _simulated(self, done: Simulations) -> list[Simulated]:
        items = []
        rows = zip(done.group.molecule_ids, done.group.smiles, done.outcomes, strict=True)
        for molecule_id, smiles, outcome in rows:
            proposal, batch = self._proposal_of[molecule_id]
            when = (self.engine.now(), done.worker, done.began_s, done.ended_s)
            items.append(Simulated(proposal, molecule_id, smiles, batch, *when, outcome))
        return items

    def _event(self, action: Action, state: State) -> Event:
        match action:
            case Simulate(molecule_ids, source):
                for molecule_id in molecule_ids:
                    self._proposal_of[molecule_id] = (len(self._proposal_of), state.batch)
                return Submitted(molecule_ids, source, state.batch)
            case Rank():
                return RankingBegan(state.batch + 1, state.n_values + state.n_known)
            case Stop(reason, ok):
                return Stopped(reason, ok)

    def _act(self, action: Action) -> None:
        match action:
            case Simulate(molecule_ids):
                for molecule_id in molecule_ids:
                    smiles = self.library.smiles(molecule_id)
                    self.engine.simulate(Group((molecule_id,), (smiles,), self.protocol))
            case Rank(n):
                self.engine.rank(self._request(n))
            case Stop():
                pass

    def _request(self, n: int) -> RankRequest:
        rows = self.store.training_rows()
        known = self.warm_start.known
        values = [item.value for item in known] + [value for _, value in rows]
        kind = self.policy.features
        features = self.library.features(kind, [molecule_id for molecule_id, _ in rows])
        in_library = [item.molecule_id for item in known if item.molecule_id is not None]
        return RankRequest(
            number=self.state.batch,
            policy=self.policy,
            training=Training(
                features=np.concatenate([self.warm_start.features[kind], features]),
                values=self.target.sign * np.array(values),
                tried=np.array([*in_library, *self._proposal_of], dtype=np.int64),
                pending=self.library.features(kind, sorted(self.state.in_flight)),
                scaling=self.library.scaling,
            ),
            shards=self.library.shards,
            n=n,
            seed=(self.seed, self.state.batch),
        )

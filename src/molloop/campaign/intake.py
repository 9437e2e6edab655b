"""What an engine has ended becomes events, outcomes and tasks, in the time of the campaign."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.engine import (
    Completion,
    Group,
    LostGroup,
    LostRanking,
    Ranking,
    Simulations,
    Task,
)
from molloop.campaign.events import Event, Finished, Lost, Ranked
from molloop.campaign.jobs import Job, Simulated
from molloop.campaign.ledger import Ledger
from molloop.goal import Goal, Objective
from molloop.library.shards import Library
from molloop.molecule import Molecule
from molloop.simulate.outcome import Failure, Outcome, Success
from molloop.simulate.validation import accepted
from molloop.texts import counted

# losses after which a molecule is given up: a worker's may be its own doing, a manager's hardly,
# that of a pool which was ended for another worker never, but no molecule goes round for ever
MAX_LOSSES = {"worker": 2, "manager": 5, "task": 5, "pool": 20}


@dataclass
class Taken:
    """What some completions come to.

    Attributes
    ----------
    n_groups
        How many groups are no longer at the engine.
    lost_rankings
        That have failed where they ran.
    """

    events: list[Event] = field(default_factory=list)
    simulated: list[Simulated] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    n_groups: int = 0
    lost_rankings: list[LostRanking] = field(default_factory=list)


@dataclass(frozen=True)
class Intake:
    """Takes in what one engine has ended.

    Attributes
    ----------
    ledger
        Says what is under way; it is read only.
    began_s
        When the engine began, in the time of the campaign.
    library
        Knows some quantities of a goal.
    goal
        What is searched for, where it is more than one objective.
    """

    ledger: Ledger
    objective: Objective
    began_s: float
    library: Library
    goal: Goal | None = None

    @cached_property
    def _quantity(self) -> str:
        return self.objective.quantity.name

    def take(
        self, completions: Sequence[Completion], now_s: float, *, counts_losses: bool
    ) -> Taken:
        """Return what some completions come to.

        Parameters
        ----------
        now_s
            In the time of the campaign.
        counts_losses
            Whether what was lost is to run again. Where workers may have been told to end, it runs
            again later.
        """
        taken = Taken()
        lost: list[Event] = []
        for completion in completions:
            match completion:
                case Simulations():
                    taken.n_groups += 1
                    taken.simulated += self._simulated(completion, now_s)
                    if counts_losses and (rest := _rest(completion)):
                        lost += self._lose(rest, taken.simulated, now_s)
                case LostGroup():
                    taken.n_groups += 1
                    if counts_losses:
                        lost += self._lose(completion, taken.simulated, now_s)
                case LostRanking():
                    taken.lost_rankings.append(completion)
                case Ranking():
                    lost.append(self._ranked(completion))
                    taken.tasks += map(self._shifted, completion.tasks)
        taken.events = [*map(self._finished, taken.simulated), *lost]
        return taken

    def _simulated(self, done: Simulations, now_s: float) -> list[Simulated]:
        # it may have fewer outcomes than molecules
        columns = (done.group.molecules, done.outcomes, done.times_s, done.workers)
        stage = done.group.stage
        return [
            self._item(
                molecule,
                stage,
                now_s,
                worker,
                (self.began_s + times_s[0], self.began_s + times_s[1]),
                outcome,
            )
            for molecule, outcome, times_s, worker in zip(*columns, strict=False)
        ]

    def _item(
        self,
        molecule: Molecule,
        stage: str,
        now_s: float,
        worker: str,
        times_s: tuple[float, float],
        outcome: object,
    ) -> Simulated:
        """Take in an outcome, whatever a worker has sent for one."""
        proposal = self.ledger.in_flight[Job(molecule.id, stage)]
        kept = self._with_known(accepted(outcome, self._quantity), molecule.id)
        return Simulated(
            proposal.number,
            molecule.id,
            stage,
            molecule.smiles,
            proposal.batch,
            now_s,
            worker,
            *times_s,
            kept,
            molecule.name,
            molecule.kept,
        )

    def _with_known(self, outcome: Outcome, molecule_id: int) -> Outcome:
        """Return an outcome with the values of the goal that the library knows."""
        if self.goal is None or not isinstance(outcome, Success):
            return outcome
        known = self.library.described(self.goal.quantities, molecule_id)
        return replace(outcome, values={**outcome.named, **known})

    def _finished(self, item: Simulated) -> Finished:
        outcome = item.outcome
        if isinstance(outcome, Failure):
            return Finished(item.molecule_id, outcome.kind, outcome.seconds, None, item.stage)
        value = outcome.named.get(self._quantity)
        told = item.molecule_id, "", outcome.seconds, value, item.stage
        if self.goal is None:
            return Finished(*told, item.is_flagged(self.objective))
        return Finished(*told, item.is_flagged_for(self.goal), self.goal.values(outcome.named))

    def _lose(self, lost: LostGroup, simulated: list[Simulated], now_s: float) -> list[Event]:
        """Add failures of what was lost too often; return what runs again."""
        given_up = self._given_up(lost, now_s)
        simulated += given_up
        too_often = {item.molecule_id for item in given_up}
        again = tuple(key for key in lost.group.molecule_ids if key not in too_often)
        return [Lost(again, lost.what, lost.group.stage)] if again else []

    def _given_up(self, lost: LostGroup, now_s: float) -> list[Simulated]:
        """Return failures for the molecules that were lost too often."""
        stage, items = lost.group.stage, []
        for molecule in lost.group.molecules:
            n_losses = 1 + self.ledger.in_flight[Job(molecule.id, stage)].losses.count(lost.what)
            if n_losses >= MAX_LOSSES[lost.what]:
                message = f"its {lost.what} was lost {counted(n_losses, 'time')}: {lost.message}"
                failure = Failure(lost.what, message)
                items.append(self._item(molecule, stage, now_s, "", (now_s, now_s), failure))
        return items

    def _ranked(self, ranking: Ranking) -> Ranked:
        chosen, request = ranking.chosen, ranking.request
        # what was handed out while it went on is proposed no more
        is_left = ~np.isin(chosen.ids, self.ledger.tried[len(request.training.tried) :])
        # the search maximises, whatever the directions
        signs = self.goal.signs if self.goal is not None else (self.objective.sign,)
        ids = tuple(chosen.ids[is_left].tolist())
        n, seconds = len(ids), sum(task.ended_s - task.began_s for task in ranking.tasks)
        if not request.policy.predicts:
            return Ranked(request.number, ids, (), (), seconds, request.stage)
        means, *more_means = _rows(np.array(signs) * chosen.means[is_left].reshape(n, len(signs)))
        stds, *more_stds = _rows(chosen.stds[is_left].reshape(n, len(signs)))
        return Ranked(
            request.number,
            ids,
            means,
            stds,
            seconds,
            request.stage,
            chosen.unresolved_std,
            tuple(more_means),
            tuple(more_stds),
        )

    def _shifted(self, task: Task) -> Task:
        began_s, ended_s = self.began_s + task.began_s, self.began_s + task.ended_s
        return replace(task, began_s=began_s, ended_s=ended_s)


def _rows(columns: NDArray[np.float64]) -> list[tuple[float, ...]]:
    """Return the columns of a table, shape (n, q), as rows."""
    return [tuple(column) for column in columns.T.tolist()]


def _rest(done: Simulations) -> LostGroup | None:
    """Return what a group that has ended early did not simulate."""
    group, n = done.group, len(done.outcomes)
    if n == len(group.molecules):
        return None
    left = Group(group.molecules[n:], group.protocol)
    return LostGroup(left, "task", done.trouble or "its group has ended before it")

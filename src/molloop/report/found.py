"""What a run has found: its events and outcomes, and what they come to. All reports read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.engine import Task
from molloop.campaign.events import Event, Ranked, RankingBegan, Stopped, left_out_now
from molloop.campaign.jobs import Known, Simulated
from molloop.goal import Goal, Objective
from molloop.molecule import Labels
from molloop.report.accuracy import Accuracy
from molloop.report.frame import outcome_frame
from molloop.report.ranking import TimedRanking
from molloop.report.stage_columns import numbers_of_stages
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.record import Record
from molloop.store.records import Stage, stage_of
from molloop.store.stages import Tallies

if TYPE_CHECKING:
    import pandas as pd

    from molloop.campaign.promotions import Expected


@dataclass(frozen=True, repr=False)
class Found:
    """What a run has found.

    Attributes
    ----------
    objective, protocol
        What was searched for, and how it was computed.
    known
        Values known beforehand.
    events
        What happened, each with its time in seconds.
    simulated
        In the order of their proposals.
    work
        What workers did beside simulations.
    stages
        By their names, what jobs were computed by; without any, all by `protocol`.
    protocols
        Of a run of several stages, how each computes, the first one first; `protocol` is the last
        one's, whose values are searched for.
    expected
        Molecule id -> what is known or expected of its last value, the best first; of several
        stages, where the library is there.
    accuracy
        Of the model, by the molecules that it is measured on; none where the run was told to end.
    n_rejected, rejects
        Lines of the library's source that hold no molecule, and the file that lists them.
    library
        That was searched, or what the run's database says of it.
    versions
        Of molloop, RDKit and tblite, by which the run's processes have computed values.
    goal
        What was searched for, where it is more than the objective.
    """

    objective: Objective
    protocol: SimulationProtocol
    known: tuple[Known, ...]
    events: tuple[tuple[float, Event], ...]
    simulated: tuple[Simulated, ...]
    work: tuple[Task, ...] = ()
    stages: Mapping[str, Stage] = field(default_factory=dict)
    accuracy: Mapping[str, Accuracy] = field(default_factory=dict)
    n_rejected: int = 0
    rejects: str = ""
    library: Labels | None = None
    versions: str = ""
    protocols: tuple[SimulationProtocol, ...] = ()
    expected: Mapping[int, "Expected"] = field(default_factory=dict)
    goal: Goal | None = None

    @cached_property
    def _record(self) -> Record:
        """What events and outcomes come to."""
        stated = self.objective, self.protocol.stage, len(self.simulated) + 1
        record = Record(*stated, goal=self.goal, left_out=self.left_out)
        record.take(self.events, self.simulated, self.work)
        return record

    @cached_property
    def left_out(self) -> frozenset[int]:
        """Ids of molecules that do not meet the conditions: none of them is among the best."""
        return left_out_now(event for _, event in self.events)

    @cached_property
    def rankings(self) -> tuple[TimedRanking, ...]:
        """Those that have ended, in their order, of molecules that meet the conditions now."""
        found, began_s = [], 0.0
        for time_s, event in self.events:
            match event:
                case RankingBegan():
                    began_s = time_s
                case Ranked() if self._is_of_last(event.stage):
                    found.append(TimedRanking.of(event, began_s, time_s, self.left_out))
        return tuple(found)

    def _is_of_last(self, stage: str) -> bool:
        return stage in ("", self.protocol.stage)

    @property
    def n_molecules(self) -> int:
        """Size of the library."""
        return self._record.n_molecules

    @property
    def stopped(self) -> Stopped | None:
        """How it ended, if it has."""
        return self._record.stopped

    @property
    def resumed_s(self) -> tuple[float, ...]:
        """When another process went on with it."""
        return tuple(self._record.resumed_s)

    @property
    def n_not_finished(self) -> int:
        """Molecules that were handed out and have no outcome.

        They are under way while the run goes on; a resumed one simulates them again.
        """
        return self._record.n_open

    @property
    def n_failed(self) -> int:
        """Simulations that gave no value."""
        return self._record.n_failed

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """What workers did, simulations among it, in the order of their beginning."""
        return tuple(sorted(self._record.tasks, key=lambda task: task.began_s))

    def frame(self, *, geometries: bool = False, top: int | None = None) -> "pd.DataFrame":
        """Return a row a molecule, those without a value too, in the order of their proposals.

        Of several stages a row a molecule and stage.

        Parameters
        ----------
        geometries
            Whether the columns `numbers` (atomic numbers, shape (n,)) and `positions_angstrom`
            (shape (n, 3)) are there, each cell a list.
        top
            Only so many of the best, the best first.

        Returns
        -------
        Indexed by the molecule's id, its row in the library: `smiles`; `name`, empty where the
        user's file says nothing; `charge` and `n_unpaired` electrons as it was computed, nothing
        where that is not known; the value in the quantity's unit, by a name such as `ie_ev`, NaN
        where it failed, then those of `simulation.quantities`; of several stages `ie_ev_gfn2` and
        so on, the molecule's value in each, and `expected_ie_ev` with `_std`, what is expected of
        the last one, where the library is there; where conditions have changed, `conditions`: "met"
        or "not met"; `level`, `fidelity`; `flags`, with
        blanks between; `versions` of molloop, RDKit and tblite; `failure`, its kind, and
        `message`; `batch`, 0 for the initial design, then the number of the ranking that chose it;
        `time_s`, when it was known; `seconds` that it took; `worker`; and what the library has kept
        of the user's own columns, as texts.
        """
        return outcome_frame(
            self.simulated if top is None else self.best(top),
            self.objective.quantity,
            self._stages,
            geometries=geometries,
            library=self.library,
            further=self.protocol.further,
            versions=self.versions,
            others=self.numbers_of_stages,
            left_out=self.left_out,
        )

    @cached_property
    def numbers_of_stages(self) -> dict[str, dict[int, float]]:
        """Column -> molecule id -> number, that tables of several stages have beside others."""
        return numbers_of_stages(
            self.objective.quantity, self.protocols, self.simulated, self.expected
        )

    def stage(self, item: Simulated) -> Stage:
        """Return by what an outcome was computed: level and fidelity."""
        return self._stages[item.stage]

    @cached_property
    def _stages(self) -> dict[str, Stage]:
        own = stage_of(self.protocol)
        return {own.name: own, **self.stages}

    def kept(self, molecule_id: int) -> Mapping[str, str]:
        """Return what the library has kept of the user's own columns; nothing where it is gone."""
        return {} if self.library is None else self.library.kept(molecule_id)

    @cached_property
    def values(self) -> dict[int, float]:
        """Molecule id -> value in the quantity's unit, in the order of the proposals."""
        pairs = zip(self.successes, self._record.values, strict=True)
        return {
            item.molecule_id: value
            for item, value in sorted(pairs, key=lambda pair: pair[0].proposal)
        }

    @cached_property
    def successes(self) -> list[Simulated]:
        """Simulations that gave a value of the objective, in the order in which they ended."""
        items = {item.proposal: item for item in self.simulated}
        return [items[proposal] for proposal in self._record.proposals]

    def best_so_far(self, order: Sequence[int] | None = None) -> NDArray[np.float64]:
        """Return the best value after each of the successes, in the quantity's unit, shape (n,).

        NaN before the first that may be among the best.

        Parameters
        ----------
        order
            Places of the successes in some order; None: that in which they ended.
        """
        return self._record.best_so_far(order)

    def points(self) -> NDArray[np.float64]:
        """Return the objectives after each of the successes; see :meth:`Record.points`."""
        return self._record.points()

    @property
    def predictions(self) -> NDArray[np.float64]:
        """What rankings predicted of the molecules that they chose, in the quantity's unit.

        Mean, standard deviation and simulated value, in the order of the proposals, shape (n, 3).
        """
        rows = np.array(self._record.pairs, dtype=np.float64).reshape(-1, 3)
        return rows[np.argsort(self._record.paired, kind="stable")]

    @property
    def of_stages(self) -> Tallies:
        """What each stage has come to, by its name."""
        return self._record.of_stages

    @property
    def predictions_of_stages(self) -> dict[str, NDArray[np.float64]]:
        """What the rankings of each stage expected of the last value, and that value, by its name.

        Rows as of :attr:`predictions`.
        """
        tallies, last = self._record.of_stages, self.protocol.stage
        below = [one.stage for one in self.protocols[:-1]]
        rows = {name: np.array(tallies[name].pairs).reshape(-1, 3) for name in below}
        return {**rows, last: self.predictions}

    def n_beyond_threshold(self, last: float = inf) -> int:
        """Return how many values are beyond the threshold, of all or of the last ones."""
        return self._record.n_beyond_of_last(last)

    def best(self, n: int) -> list[Simulated]:
        """Return the n best simulated molecules, the best first."""
        return self._record.best(n)

    @property
    def excluded(self) -> str:
        """What to say of values that are never among the best; empty where there are none."""
        return self._record.excluded

    def ranked(self) -> list[Simulated]:
        """Return all with a value: the best first, and last those that are never among the best."""
        best = self.best(len(self.simulated))
        first = {item.proposal for item in best}
        sign, values = self.objective.sign, self.values
        behind = [item for item in self.successes if item.proposal not in first]
        behind.sort(key=lambda item: (-sign * values[item.molecule_id], item.proposal))
        return best + behind

"""A run as its reports need it: read from the store once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Ranked, RankingBegan, Resumed, Stopped, Submitted
from molloop.campaign.jobs import Known, Simulated
from molloop.report.accuracy import Accuracy
from molloop.report.numbers import rounded
from molloop.simulate.outcome import Success
from molloop.simulate.property import Property
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.store import Store
from molloop.texts import terminal_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class TimedRanking:
    """A ranking's best molecules, when it began and when they were known."""

    batch: int
    began_s: float
    time_s: float
    molecule_ids: tuple[int, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Results:
    """What a run has found; a notebook shows a summary and draws the best molecules.

    Attributes
    ----------
    n_molecules
        Size of the library.
    target, protocol
        The property that was searched for, and how it was computed.
    known
        Values known beforehand.
    simulated
        In the order of their proposals.
    rankings
        In their order.
    tasks
        What workers did, simulations among it, in the order of their beginning.
    stopped
        How it ended, if it has.
    resumed_s
        When another process went on with it.
    accuracy
        Of the model, by the molecules that it is measured on; none where the run was told to end.
    n_not_finished
        Molecules that were handed out and have no outcome: under way while the run goes on,
        simulated again by a resumed one.
    n_rejected, rejects
        Lines of the library's source that hold no molecule, and the file that lists them.
    """

    n_molecules: int
    target: Property
    protocol: SimulationProtocol
    known: tuple[Known, ...]
    simulated: tuple[Simulated, ...]
    rankings: tuple[TimedRanking, ...]
    tasks: tuple[Task, ...]
    stopped: Stopped | None
    resumed_s: tuple[float, ...] = ()
    accuracy: Mapping[str, Accuracy] = field(default_factory=dict)
    n_not_finished: int = 0
    n_rejected: int = 0
    rejects: str = ""

    def __repr__(self) -> str:
        values = self.values
        best = ""
        if values:
            [item] = self.best(1)
            best = f", best {rounded(values[item.molecule_id])} {self.target.unit} {item.smiles}"
        n_failed = len(self.simulated) - len(values)
        told = f"{self.target.name}: {len(values):,} values, {n_failed:,} failed{best}"
        return f"Results({terminal_text(told)})"

    def _repr_html_(self) -> str:
        """Show a notebook what was found."""
        from molloop.report.notebook import results_html

        return results_html(self)

    def frame(self, *, geometries: bool = False) -> "pd.DataFrame":
        """Return a row a molecule, those without a value too, in the order of their proposals.

        Parameters
        ----------
        geometries
            Whether the columns `numbers` (atomic numbers, shape (n,)) and `positions_angstrom`
            (shape (n, 3)) are there, each cell a list.

        Returns
        -------
        Indexed by the molecule's id, its row in the library: `smiles`; the value in the property's
        unit, by a name such as `ie_ev`, NaN where it failed; `level`, `fidelity`; `flags`, with
        blanks between; `failure`, its kind, and `message`; `batch`, 0 for the initial design, then
        the number of the ranking that chose it; `time_s`, when it was known; `seconds` that it
        took; `worker`.
        """
        from molloop.report.frame import outcome_frame

        return outcome_frame(self, geometries=geometries)

    @property
    def values(self) -> dict[int, float]:
        """Molecule id -> value in the property's unit, of all that were simulated."""
        return {
            item.molecule_id: item.outcome.value
            for item in self.simulated
            if isinstance(item.outcome, Success)
        }

    @property
    def successes(self) -> list[Simulated]:
        """Simulations that gave a value, in the order in which they ended."""
        ok = [item for item in self.simulated if isinstance(item.outcome, Success)]
        return sorted(ok, key=lambda item: (item.time_s, item.proposal))

    @property
    def predictions(self) -> NDArray[np.float64]:
        """What rankings predicted of the molecules that they chose, in the property's unit.

        Mean, standard deviation and simulated value, in the order of the proposals, shape (n, 3).
        """
        predicted = {
            (ranking.batch, key): (mean, std)
            for ranking in self.rankings
            for key, mean, std in zip(  # without a model there are none
                ranking.molecule_ids, ranking.means, ranking.stds, strict=False
            )
        }
        rows = [
            (*predicted[item.batch, item.molecule_id], item.outcome.value)
            for item in self.simulated
            if isinstance(item.outcome, Success) and (item.batch, item.molecule_id) in predicted
        ]
        return np.array(rows, dtype=np.float64).reshape(-1, 3)

    def n_beyond_threshold(self, last: int | None = None) -> int:
        """Return how many values are beyond the threshold, of all or of the last ones."""
        values = self.values
        in_order = [values[item.molecule_id] for item in self.successes]
        return sum(map(self.target.is_beyond_threshold, in_order[-last:] if last else in_order))

    def best(self, n: int) -> list[Simulated]:
        """Return the n best simulated molecules, the best first."""
        sign, values = self.target.sign, self.values
        ranked = sorted(
            self.successes, key=lambda item: (-sign * values[item.molecule_id], item.proposal)
        )
        return ranked[:n]


def read(store: Store, target: Property, protocol: SimulationProtocol) -> Results:
    """Read a run from its store."""
    rankings = []
    stopped = None
    resumed_s = []
    n_molecules = 0
    n_submitted = 0
    began_s = 0.0
    for time_s, event in store.events():
        match event:
            case Began(n_molecules):
                pass
            case Submitted(molecule_ids):
                n_submitted += len(molecule_ids)
            case RankingBegan():
                began_s = time_s
            case Ranked(batch, molecule_ids, means, stds):
                rankings.append(TimedRanking(batch, began_s, time_s, molecule_ids, means, stds))
            case Resumed():
                stopped = None
                resumed_s.append(time_s)
            case Stopped():
                stopped = event
    simulated = tuple(store.simulated())
    tasks = [
        *store.tasks(),
        *(
            Task(Work.SIMULATE, one.worker, one.began_s, one.ended_s)
            for one in simulated
            if one.worker
        ),
    ]
    return Results(
        n_molecules,
        target,
        protocol,
        tuple(store.known()),
        simulated,
        tuple(rankings),
        tuple(sorted(tasks, key=lambda task: task.began_s)),
        stopped,
        tuple(resumed_s),
        # outcomes that came between the two readings do not count twice
        n_not_finished=max(0, n_submitted - len(simulated)),
    )

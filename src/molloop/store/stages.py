"""What each stage of a run comes to, beside the values of the last one."""

from array import array
from collections import defaultdict
from collections.abc import Mapping, MutableSequence, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from molloop.campaign.events import Ranked
from molloop.campaign.jobs import Simulated
from molloop.simulate.outcome import Failure

GROWING = ("waiting", "both", "expected", "pairs")


class Below(NamedTuple):
    """A molecule's value in a stage below the last one."""

    value: float
    smiles: str
    name: str


@dataclass
class StageTally:
    """What a stage has come to, as far as it was taken in.

    Attributes
    ----------
    n_values, n_failed
        Values of the quantity, and simulations that failed.
    seconds
        That all simulations took, on their workers.
    waiting
        Molecule id -> value, of a stage below the last one: of what has no outcome there yet.
    both
        Its value and the last stage's, one after the other, of the molecules that have both.
    expected
        Molecule id -> mean and standard deviation of the last value, of what the stage's rankings
        chose and has no last value yet.
    pairs
        The same and the last value, one after the other, of what has one.
    proposed
        As `expected`, of all that the stage's last ranking chose.
    """

    n_values: int = 0
    n_failed: int = 0
    seconds: float = 0.0
    waiting: dict[int, Below] = field(default_factory=dict)
    both: MutableSequence[float] = field(default_factory=lambda: array("d"))
    expected: dict[int, tuple[float, float]] = field(default_factory=dict)
    pairs: MutableSequence[float] = field(default_factory=lambda: array("d"))
    proposed: dict[int, tuple[float, float]] = field(default_factory=dict)

    def count(self, item: Simulated, value: float | None) -> None:
        """Count an outcome of the stage, and its value of the quantity."""
        self.seconds += item.outcome.seconds
        self.n_failed += isinstance(item.outcome, Failure)
        self.n_values += value is not None

    def propose(self, event: Ranked) -> None:
        """Take what a ranking expects; without a model it expects nothing."""
        both = zip(event.means, event.stds, strict=True)
        self.proposed = dict(zip(event.molecule_ids, both, strict=False))

    def hand_out(self, molecule_ids: Sequence[int]) -> None:
        """Note what was expected of molecules that were chosen."""
        known = self.proposed
        self.expected |= {key: known[key] for key in molecule_ids if key in known}

    def meet(self, molecule_id: int, last: float | None) -> None:
        """Take an outcome of the last stage: its value, if it has one."""
        below = self.waiting.pop(molecule_id, None)
        expected = self.expected.pop(molecule_id, None)
        if last is not None and below is not None:
            self.both.extend((below.value, last))
        if last is not None and expected is not None:
            self.pairs.extend((*expected, last))

    def __copy__(self) -> "StageTally":
        """Return one that later outcomes do not change."""
        growing = {name: copy(one) for name, one in vars(self).items() if name in GROWING}
        return replace(self, **growing)


class Tallies(defaultdict[str, StageTally]):
    """What all stages of a run have come to, by their names."""

    def __init__(self, tallies: Mapping[str, StageTally] | None = None) -> None:
        super().__init__(StageTally, tallies or {})

    def take(self, item: Simulated, value: float | None, last: str) -> None:
        """Take in an outcome and its value; `last` is the name of the last stage."""
        own = self[item.stage]
        own.count(item, value)
        if item.stage == last:
            for one in self.values():
                one.meet(item.molecule_id, value)
        elif value is not None:
            own.waiting[item.molecule_id] = Below(value, item.smiles, item.name)

    def __copy__(self) -> "Tallies":
        """Return some that later outcomes do not change."""
        return Tallies({name: copy(one) for name, one in self.items()})

"""What happens in a campaign: its events, of plain values that can be stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from molloop.campaign.jobs import Job
from molloop.simulate.outcome import LARGEST_COUNT

Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# nothing is stored of it where it is empty, as in most runs
Rare = Field(exclude_if=lambda value: not value)
# each field of its own type, and no others
exactly = with_config(ConfigDict(strict=True, extra="forbid", ser_json_inf_nan="constants"))


class Source(StrEnum):
    """Where a proposal comes from."""

    INITIAL = "initial"
    RANKING = "ranking"


class End(StrEnum):
    """How a campaign ended: `FAILED` by its own rule, `BROKEN` because its engine did."""

    DONE = "done"
    FAILED = "failed"
    BROKEN = "broken off"
    INTERRUPTED = "interrupted"


@exactly
@dataclass(frozen=True, slots=True)
class Began:
    """The campaign began, on a library of some size, with some values known beforehand.

    `remarks` say what else is to be known of the library, such as what conditions leave of it.
    """

    n_molecules: Count
    n_known: Count
    remarks: tuple[str, ...] = ()


@exactly
@dataclass(frozen=True, slots=True)
class Resumed:
    """Another process goes on with the campaign; `changes` says what it does otherwise.

    What was being simulated is handed out again, a ranking that was under way is forgotten; so is
    what the last one proposed, where it `ranks_anew`, by other conditions. `remarks` are as of
    `Began`.

    `left_out` are all molecules that were handed out or proposed until then and do not meet the
    conditions now. Their values, also those that come later, are none of the best, until another
    process goes on and says otherwise.
    """

    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    ranks_anew: bool = False
    left_out: Annotated[tuple[Count, ...], Rare] = ()


@exactly
@dataclass(frozen=True, slots=True)
class Submitted:
    """Molecules were handed out for simulation.

    `batch` is 0 for the initial design, and `n_drawn` how many places of it were used for them. A
    run of schema 3 does not say its stage: it has one.
    """

    molecule_ids: tuple[Count, ...]
    source: Source
    batch: Count
    n_drawn: Count = 0
    stage: str = ""

    @property
    def jobs(self) -> list[Job]:
        """What was handed out."""
        return [Job(one, self.stage) for one in self.molecule_ids]


@exactly
@dataclass(frozen=True, slots=True)
class Finished:
    """A simulation ended, with a value or a failure of some kind; the store holds its outcome.

    `is_flagged` says whether a flag casts doubt on the value. Where there are several objectives or
    constraints, `values` are those of the goal's quantities, in their order.
    """

    molecule_id: Count
    failure: str = ""
    seconds: Finite = 0.0
    value: Finite | None = None
    stage: str = ""
    is_flagged: bool = False
    values: Annotated[tuple[Finite | None, ...], Rare] = ()

    @property
    def job(self) -> Job:
        """What has ended."""
        return Job(self.molecule_id, self.stage)


@exactly
@dataclass(frozen=True, slots=True)
class Lost:
    """What simulated these molecules was lost, see `LostGroup`; they run again."""

    molecule_ids: tuple[Count, ...]
    what: str
    stage: str = ""

    @property
    def jobs(self) -> list[Job]:
        """What runs again."""
        return [Job(one, self.stage) for one in self.molecule_ids]


@exactly
@dataclass(frozen=True, slots=True)
class RankingBegan:
    """A model is trained on `n_training` values, and the library ranked.

    Of a stage above the first, the molecules with a value in the stage below are ranked; so many
    values there are. Each stage counts its rankings.
    """

    batch: Count
    n_training: Count
    stage: str = ""


@exactly
@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking ended: the best molecules that were not handed out, best first, with predictions.

    Without a model there are no predictions. In a run of several stages they are of the value in
    the last one; `unresolved_std` is their deviation, on average, that will be left once the value
    of this stage is known.

    `seconds` is what its tasks took, on all workers together. Where there are several objectives or
    constraints, `more_means` and `more_stds` are of the goal's further quantities, a row each.
    """

    batch: Count
    molecule_ids: tuple[Count, ...]
    means: tuple[Finite, ...]
    stds: tuple[Finite, ...]
    seconds: Finite = 0.0
    stage: str = ""
    unresolved_std: Finite = 0.0
    more_means: Annotated[tuple[tuple[Finite, ...], ...], Rare] = ()
    more_stds: Annotated[tuple[tuple[Finite, ...], ...], Rare] = ()


@exactly
@dataclass(frozen=True, slots=True)
class Stopped:
    """The campaign ended: by its own rule, because it failed, or because it was told to."""

    reason: str
    end: End


Event = Began | Resumed | Submitted | Finished | Lost | RankingBegan | Ranked | Stopped


def left_out_now(events: Iterable[Event]) -> frozenset[int]:
    """Return which molecules do not meet the conditions in force after some events."""
    left_out: tuple[int, ...] = ()
    for event in events:
        if isinstance(event, Resumed):
            left_out = event.left_out
    return frozenset(left_out)

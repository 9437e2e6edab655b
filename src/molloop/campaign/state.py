"""Events, and the state that they add up to."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Any

from pydantic import TypeAdapter


class Source(StrEnum):
    """Where a proposal comes from."""

    INITIAL = "initial"
    RANKING = "ranking"


@dataclass(frozen=True, slots=True)
class Began:
    """The campaign began, on a library of some size, with some values known beforehand."""

    n_molecules: int
    n_known: int


@dataclass(frozen=True, slots=True)
class Submitted:
    """Molecules were handed out for simulation; `batch` is 0 for the initial design."""

    molecule_ids: tuple[int, ...]
    source: Source
    batch: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A simulation ended; the store holds its outcome."""

    molecule_id: int
    ok: bool


@dataclass(frozen=True, slots=True)
class RankingBegan:
    """A model is trained on `n_training` values, and the library ranked."""

    batch: int
    n_training: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking ended: the best molecules that were not tried, best first, with predictions."""

    batch: int
    molecule_ids: tuple[int, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The campaign ended, by its own rule or because it failed."""

    reason: str
    ok: bool


Event = Began | Submitted | Finished | RankingBegan | Ranked | Stopped
_READERS: dict[str, TypeAdapter[Event]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (Began, Submitted, Finished, RankingBegan, Ranked, Stopped)
}


def encode(event: Event) -> tuple[str, dict[str, Any]]:
    """Return an event's kind and its fields, ready for JSON."""
    return type(event).__name__, asdict(event)


def decode(kind: str, body: dict[str, Any]) -> Event:
    """Read an event back.

    Raises
    ------
    ValueError
        The kind is not known, or the fields are not those of the kind.
    """
    if kind not in _READERS:
        raise ValueError(f"no event of kind {kind!r}")
    return _READERS[kind].validate_python(body)


@dataclass(frozen=True, slots=True)
class State:
    """What a schedule needs to know. Its size does not grow with the campaign.

    Attributes
    ----------
    n_known
        Values that were there beforehand.
    n_drawn
        Molecules that the initial design has given.
    n_values, n_failed
        Simulations that ended with and without a value.
    in_flight
        Molecules under way.
    batch
        The last ranking's number; 0 before the first.
    is_ranking
        A ranking is under way.
    proposals
        Of the last ranking, those not handed out; None where a new ranking is due.
    n_values_before_batch, n_failed_before_drought
        Counts when the last batch was handed out, and when a batch last had a value before it.
    stopped
        How it ended.
    """

    n_known: int = 0
    n_drawn: int = 0
    n_values: int = 0
    n_failed: int = 0
    in_flight: frozenset[int] = frozenset()
    batch: int = 0
    is_ranking: bool = False
    proposals: tuple[int, ...] | None = None
    n_values_before_batch: int = 0
    n_failed_before_drought: int = 0
    stopped: Stopped | None = None

    @property
    def n_failed_in_drought(self) -> int:
        """Failures of the last batches in a row that gave no value at all."""
        if self.n_values > self.n_values_before_batch:
            return 0
        return self.n_failed - self.n_failed_before_drought


def apply(state: State, event: Event) -> State:
    """Return the state after an event."""
    match event:
        case Began(_, n_known):
            return replace(state, n_known=n_known)
        case Submitted(molecule_ids, source):
            state = replace(state, in_flight=state.in_flight | set(molecule_ids))
            if source is Source.INITIAL:
                return replace(state, n_drawn=state.n_drawn + len(molecule_ids))
            in_drought = state.n_values == state.n_values_before_batch
            return replace(
                state,
                proposals=None,
                n_values_before_batch=state.n_values,
                n_failed_before_drought=(
                    state.n_failed_before_drought if in_drought else state.n_failed
                ),
            )
        case Finished(molecule_id, ok):
            return replace(
                state,
                in_flight=state.in_flight - {molecule_id},
                n_values=state.n_values + ok,
                n_failed=state.n_failed + (not ok),
            )
        case RankingBegan(batch):
            return replace(state, is_ranking=True, batch=batch)
        case Ranked(_, molecule_ids):
            return replace(state, is_ranking=False, proposals=molecule_ids)
        case Stopped():
            return replace(state, stopped=event)


def add_up(events: Iterable[Event], start: State) -> State:
    """Return the state that some events add up to, from another one on."""
    return reduce(apply, events, start)

"""Events as the database holds them: a kind and the JSON of their fields."""

from typing import Any

from pydantic import TypeAdapter

from molloop.campaign.events import (
    Began,
    Event,
    Finished,
    Lost,
    Ranked,
    RankingBegan,
    Resumed,
    Stopped,
    Submitted,
)
from molloop.store.stored import read_json, read_one_of

_READERS: dict[str, TypeAdapter[Event]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (Began, Resumed, Submitted, Finished, Lost, RankingBegan, Ranked, Stopped)
}


def encode(event: Event) -> tuple[str, dict[str, Any]]:
    """Return an event's kind and its fields, ready for JSON."""
    # their parts are plain: `asdict` would copy every number
    return type(event).__name__, {name: getattr(event, name) for name in event.__slots__}


def decode(kind: str, text: str) -> Event:
    """Read an event back, from the JSON of its fields.

    Raises
    ------
    ValueError
        The kind is not known, or the fields are not those of the kind.
    """
    reader = _READERS[read_one_of(kind, _READERS, "event")]
    event = read_json(reader, text, kind)
    if isinstance(event, Ranked) and not (
        len(event.means) == len(event.stds) and len(event.means) in (0, len(event.molecule_ids))
    ):
        raise ValueError("a ranking has not one mean and deviation a molecule")
    return event

"""Events as the database holds them: a kind and the JSON of their fields."""

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

_KINDS: dict[str, TypeAdapter[Event]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (Began, Resumed, Submitted, Finished, Lost, RankingBegan, Ranked, Stopped)
}
# a fifth of the time that `json` takes, and there are as many events as outcomes
_TO_JSON = {name: kind.serializer.to_json for name, kind in _KINDS.items()}


def encode(event: Event) -> tuple[str, str]:
    """Return an event's kind, and the JSON of its fields."""
    kind = type(event).__name__
    return kind, _TO_JSON[kind](event).decode()


def decode(kind: str, text: str) -> Event:
    """Read an event back, from the JSON of its fields.

    Raises
    ------
    ValueError
        The kind is not known, or the fields are not those of the kind.
    """
    reader = _KINDS[read_one_of(kind, _KINDS, "event")]
    event = read_json(reader, text, kind)
    if isinstance(event, Ranked) and not _is_whole(event):
        raise ValueError("a ranking has not one mean and deviation a molecule")
    return event


def _is_whole(event: Ranked) -> bool:
    """Whether a ranking has as many predictions of each quantity as molecules, or none."""
    rows = (event.means, event.stds, *event.more_means, *event.more_stds)
    has_pairs = len(event.more_means) == len(event.more_stds)
    is_alike = all(len(row) == len(event.means) for row in rows)
    return has_pairs and is_alike and len(event.means) in (0, len(event.molecule_ids))

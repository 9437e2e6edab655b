"""What a campaign asks of what keeps it."""

from collections.abc import Sequence
from typing import Protocol

from molloop.campaign.engine import Task
from molloop.campaign.events import Event
from molloop.campaign.jobs import Simulated
from molloop.errors import StoreError


class Values(Protocol):
    """Has the values and failures of a campaign; each method raises StoreError where it cannot."""

    def training_rows(self, quantity: str, stage: str) -> list[tuple[int, int, float]]:
        """Return proposal, molecule id and value of a quantity, in the order of proposals."""

    def failed_rows(self, stage: str) -> list[tuple[int, int, str]]:
        """Return proposal, molecule id and kind of each failure, in the order of proposals."""


class Storage(Values, Protocol):
    """Keeps what happened; each method raises StoreError where it cannot."""

    def append(
        self,
        time_s: float,
        events: Sequence[Event],
        simulated: Sequence[Simulated] = (),
        tasks: Sequence[Task] = (),
    ) -> None:
        """Keep some events, and the outcomes and tasks that belong to them: all or nothing."""

    def events(self) -> list[tuple[float, Event]]:
        """Return all events with their times, in their order."""

    def damaged(self, reason: str) -> StoreError:
        """Return the error that says that what is kept cannot be."""

"""What the sandbox runs: a task, which turns items into answers one after the other."""

from typing import Protocol, TypeVar

Item_contra = TypeVar("Item_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


class Task(Protocol[Item_contra, Answer_co]):
    """Work on items; it is pickled and sent to the child."""

    @property
    def timeout_s(self) -> float:
        """Of an item."""

    @property
    def memory_limit_gib(self) -> float:
        """Of an item, with all processes that it starts."""

    def obstacle(self) -> str:
        """Return why it cannot be run in this process, or nothing; called in the child."""

    def run(self, item: Item_contra) -> Answer_co:
        """Return an item's answer, and raise for none; called in the child.

        It may hang, crash, fork, and change its process.
        """

    def failed(self, item: Item_contra, kind: str, reason: str, seconds: float) -> Answer_co:
        """Return the answer of an item that its child did not answer.

        Parameters
        ----------
        kind
            ``crash``, ``timeout`` or ``memory``.
        reason
            What the child did: it follows "the process".
        seconds
            That it took.
        """

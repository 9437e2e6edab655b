"""Some of what failures of a run have said."""

from molloop.simulate.outcome import Failure

MAX_KINDS = 200
N_MESSAGES = 3  # of a kind


class Messages(dict[str, list[str]]):
    """Kind of failure -> some messages, each once."""

    def take(self, failure: Failure) -> None:
        """Take in a failure."""
        if failure.kind in self or len(self) < MAX_KINDS:
            some = self.setdefault(failure.kind, [])
            if len(some) < N_MESSAGES and failure.message not in some:
                some.append(failure.message)

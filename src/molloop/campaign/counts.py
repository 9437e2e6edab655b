"""What a state remembers of earlier times."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Some counts of a state, at an earlier time."""

    n_submitted: int
    n_values: int


@dataclass(frozen=True, slots=True)
class Forgiven:
    """Counts of a state; what came before them ends no campaign any more."""

    n_submitted: int = 0
    n_finished: int = 0
    failures: tuple[tuple[str, int], ...] = ()

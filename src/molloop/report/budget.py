"""What a run may spend, and how much of it is spent."""

from dataclasses import dataclass

from molloop.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Budget:
    """Values, time, or both; of several stages, values of the last one.

    Attributes
    ----------
    n_wanted
        Values that were asked for; None where time or what the stages below get ends the run.
    time_limit_s
        After which it ends; None without a limit.
    """

    n_wanted: int | None
    time_limit_s: float | None

    @classmethod
    def of(cls, settings: Settings) -> "Budget":
        """Return that of a configuration."""
        return cls(settings.max_counts()[-1], settings.stopping.time_limit_s)

    def share(self, n_values: int, time_s: float) -> float:
        """Return how much of it is spent, 0 to 1: of the values, or without a count of the time."""
        if self.n_wanted is not None:
            return min(1.0, n_values / self.n_wanted)
        return min(1.0, time_s / self.time_limit_s) if self.time_limit_s else 0.0

    def words(self) -> str:
        """Return what it is: ``24``, or ``as many as 600 s allow``."""
        if self.n_wanted is not None:
            return f"{self.n_wanted:,}"
        if self.time_limit_s is None:
            return "as many as its share allows"
        return f"as many as {self.time_limit_s:,.0f} s allow"

"""What one calculation may take. Light to import: configurations are made of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """Cores, and memory in GiB of the process with all that it starts.

    Without slots: it goes from process to process.
    """

    cores: int = 1
    memory_gib: float = 4.0

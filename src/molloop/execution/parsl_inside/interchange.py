"""Parsl's interchange as a process that only its driver ends.

It has a session of its own, so Ctrl-C in a terminal reaches the driver alone, which then ends
it in order; on Linux it dies with the driver, so a killed run leaves none behind.

Seen in Parsl 2026.10.26: an interchange lives on when its driver is killed, and so do its workers.
Its module is run as a program, and reads its configuration from the standard input.
"""

import os
import runpy
import signal

from molloop.sandbox.processes import die_with

MODULE = "parsl.executors.high_throughput.interchange"


def main() -> None:
    """Run the interchange; Parsl sends its configuration through standard input."""
    os.setsid()
    die_with(os.getppid(), signal.SIGTERM)
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""Parsl's pool of workers as a process whose own processes die with it.

Parsl's module runs here, in this one's name: so what it starts imports this one first.

Seen in Parsl 2026.10.26: the workers of a pool that is killed go on. They are started by
`multiprocessing` with the method spawn, which imports the main module in each as `__mp_main__`.
"""

import os
import signal
from importlib.util import find_spec

from molloop.sandbox.processes import die_with

MODULE = "parsl.executors.high_throughput.process_worker_pool"

if __name__ == "__mp_main__":
    die_with(os.getppid(), signal.SIGKILL)
if __name__ in ("__main__", "__mp_main__"):
    # not by runpy: what it starts would look for Parsl's functions in a module that is not there
    exec(find_spec(MODULE).loader.get_code(MODULE), globals())  # type: ignore[union-attr]

"""A simulator that does what the SMILES says."""

import ctypes
import os
import re
import subprocess
import time
from pathlib import Path

from molloop.errors import SimulationError
from molloop.simulate.outcome import Success


def simulate(what):
    if what == "crash":
        ctypes.string_at(0)
    if what == "exit":
        os._exit(3)
    if what == "print":
        print("x" * 100_000)
    if what == "raise":
        raise ZeroDivisionError("by zero")
    if what == "refuse":
        raise SimulationError("too_odd", "no", can_retry=True)
    if what == "none":
        return None
    if what == "sleep":
        time.sleep(60)
    if what == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(20_000_000))
            time.sleep(0.005)
    if what.startswith("hang"):
        # children in sessions of their own, one of them an orphan
        shell = f"sleep 1000 & echo $! >> {what[4:]}"
        subprocess.Popen(["setsid", "sh", "-c", shell]).wait()
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        with Path(what[4:]).open("a") as file:
            file.write(f"{child.pid}\n{os.getpid()}\n")
        re.match(r"(a+)+$", "a" * 64 + "b")  # in compiled code, and holding the interpreter
    threads = os.environ["OMP_NUM_THREADS"]
    return Success(value=1.0, details={"pid": os.getpid(), "n_threads": int(threads)})

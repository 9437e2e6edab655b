"""A simulator that does what the SMILES says."""

import ctypes
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from molloop.errors import SimulationError
from molloop.simulate.outcome import Geometry, Success


def simulate(what):  # noqa: PLR0912 - a list of evils
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
    if what == "nan":
        return Success(value=float("nan"))
    if what == "huge":
        return Success(value=-1e200)
    if what == "text":
        return Success(value="large")
    if what == "shape":
        return Success(value=1.0, geometry=Geometry(np.array([1, 1]), np.zeros((3, 3))))
    if what == "numpy":
        return Success(value=np.float32(1.5), details={"n": np.int64(3), "x": np.float32(2)})
    if what == "long":
        return Success(value=1.0, details={"n": 10**300})
    if what == "endless":
        return Success(value=1.0, details={"n": 10**5000})
    if what == "interrupted":
        time.sleep(1)
    if what.startswith("daemon"):
        # an orphan in a session of its own
        shell = f"sleep 1000 & echo $! > {what[6:]}"
        subprocess.Popen(["setsid", "sh", "-c", shell]).wait()
        if what.endswith("exit"):
            os._exit(3)
    if what == "garbage":
        os.write(int(sys.argv[1]), b"\0\0\0\4nope")
    if what == "stall":
        os.write(int(sys.argv[1]), b"\0\0\1\0half")
        time.sleep(60)
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

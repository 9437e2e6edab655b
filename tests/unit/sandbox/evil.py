"""A simulator that does what the SMILES says."""

import atexit
import ctypes
import io
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from molloop.errors import SimulationError
from molloop.molecule import Geometry
from molloop.simulate.outcome import Success

CONNECTION = int(sys.argv[1]) if sys.argv[1:2] and sys.argv[1].isdigit() else -1


def value_of(text):
    """Return a value that no other text of these has."""
    return float(sum(place * ord(letter) for place, letter in enumerate(text, 1)))


def honest(text):
    """Return a text's value, and what of the process another text might have changed."""
    subprocess.run(["true"], check=True)  # it may start others, and wait for them
    assert os.fstat(0).st_rdev == Path(os.devnull).stat().st_rdev
    assert os.path.samestat(os.fstat(1), os.fstat(2))
    assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    mask = os.umask(0o022)
    os.umask(mask)
    facts = {"pid": os.getpid(), "umask": mask, "n_evil": int(os.environ.get("EVIL", "0"))}
    return Success({"ie": value_of(text)} | facts, flags=(str(Path.cwd()),))


def fork():
    """Return whether this is the copy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a process with threads
        return os.fork() == 0


def forks(how):  # noqa: PLR0912, PLR0915 - a list of evils
    """Fork in many ways; what the copy returns is another text's value."""
    wrong = Success({"ie": -1.0})
    if how == "return" and fork():
        return wrong
    if how == "returnlater" and fork():
        time.sleep(0.2)
        return wrong
    if how == "waited":
        if fork():
            return wrong
        os.wait()
    if how == "raise" and fork():
        raise RuntimeError("in the copy")
    if how == "sysexit" and fork():
        sys.exit(0)
    if how == "tree":
        for _ in range(3):
            fork()
    if how == "thread":
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
    if how == "daemon" and fork():
        os.setsid()
        if fork():
            time.sleep(1000)
        return wrong
    if how == "killed":
        forks("daemon")
        os.killpg(0, signal.SIGKILL)
    if how == "stays" and fork():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)
    if how == "pool":
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(abs, [-1, -2]) == [1, 2]
    if how == "poolstays":
        forks.pool = multiprocessing.get_context("fork").Pool(2)
        assert forks.pool.map(abs, [-1, -2]) == [1, 2]
    if how == "spawn":
        process = multiprocessing.get_context("spawn").Process(target=abs, args=(1,))
        process.start()
        process.join()
        assert process.exitcode == 0
    if how == "writer":
        # a copy that has kept its end of the connection, and uses it while this one computes
        kept = os.dup(CONNECTION)
        if fork():
            os.write(kept, b"\0" * 40)
            time.sleep(1000)
        os.close(kept)
        time.sleep(0.3)
    if how == "compiled" and ctypes.CDLL(None).fork() == 0:
        return wrong  # Python has not heard of this copy, which has the connection
    if how == "compiledwriter":
        if ctypes.CDLL(None).fork() == 0:
            os.write(CONNECTION, b"\0")
            os._exit(0)
        time.sleep(0.3)
    if how == "reader":
        kept = os.dup(CONNECTION)
        if fork():
            os.read(kept, 1)
        os.close(kept)
    if how == "exit":
        if not fork():
            os._exit(0)  # as a daemon's parent does
        return wrong
    return honest(f"fork {how}")


def changes(what):  # noqa: PLR0912 - a list of evils
    """Change what belongs to the process."""
    if what == "directory":
        os.chdir("/")
    if what == "signals":
        signal.signal(signal.SIGALRM, print)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if what == "alarm":
        signal.alarm(1)
    if what == "umask":
        os.umask(0o777)
    if what == "environment":
        os.environ["EVIL"] = "1"
        del os.environ["PATH"]
    if what == "stdout":
        sys.stdout = sys.stderr = io.StringIO()
    if what == "wrapped":
        sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")
    if what == "detached":
        sys.stdout.detach()
    if what == "closedstreams":
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            stream.close()
    if what == "standard":
        os.closerange(0, 3)
    if what == "standardreused":
        os.closerange(0, 3)
        for _ in range(3):
            os.open("/dev/zero", os.O_RDWR)
    if what == "connection":
        os.close(CONNECTION)
    if what == "connectionreused":
        os.close(CONNECTION)
        os.dup2(socket.socket().detach(), CONNECTION)
    if what == "all":
        os.closerange(0, 1000)
    if what == "others":
        os.closerange(3, 1000)
    if what == "thread":
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    if what == "threadexits":
        threading.Timer(0.2, os._exit, [1]).start()
    if what == "hooks":
        atexit.register(print, "x" * 1000)
        atexit.register(os._exit, 3)
        atexit.register(time.sleep, 1000)
        if fork():
            sys.exit(1)
    if what == "group":
        os.killpg(0, signal.SIGKILL)
    if what == "replaced":
        os.execv("/bin/true", ["true"])
    return Success(value_of(f"change {what}"))


RAISED = {kind.__name__: kind for kind in (SystemExit, KeyboardInterrupt, GeneratorExit)}


def prints(n):
    """Print so many pieces of 1 MB; return the size that the file of these words ever had."""
    most = 0
    for _ in range(n):
        os.write(1, b"x" * 1_000_000)
        most = max(most, os.fstat(1).st_size)
        time.sleep(0.005)
    return Success(float(most))


def behave(what):
    """Behave as the text says: badly, or as an honest simulator."""
    word, _, rest = what.partition(" ")
    if word == "fork":
        return forks(rest)
    if word == "change":
        return changes(rest)
    if word == "raise":
        raise RAISED[rest]("in a simulator")
    if word == "print":
        return prints(int(rest))
    assert threading.active_count() == 1
    return honest(what)


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
        raise SimulationError("too_odd", "no")
    if what == "none":
        return None
    if what == "nan":
        return Success(float("nan"))
    if what == "huge":
        return Success(-1e200)
    if what == "text":
        return Success("large")
    if what == "shape":
        return Success(1.0, geometries={"molecule": Geometry(np.array([1, 1]), np.zeros((3, 3)))})
    if what == "numpy":
        return Success({"ie": np.float32(1.5), "n": np.int64(3), "x": np.float32(2)})
    if what == "long":
        return Success({"ie": 1.0, "n": 10**300})
    if what == "endless":
        return Success({"ie": 1.0, "n": 10**5000})
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
    if what == "half":
        os.write(int(sys.argv[1]), b"half")
        time.sleep(60)
    if what == "sleep":
        time.sleep(60)
    if what == "memory":
        hoard = []
        while True:
            hoard.append(bytearray(20_000_000))
            time.sleep(0.005)
    if what.startswith("litter"):
        _, name = tempfile.mkstemp()
        Path(what[6:]).write_text(name)
        time.sleep(60)  # until it is killed, and cannot tidy up by itself
    if what.startswith("hang"):
        # children in sessions of their own, one of them an orphan
        shell = f"sleep 1000 & echo $! >> {what[4:]}"
        subprocess.Popen(["setsid", "sh", "-c", shell]).wait()
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        with Path(what[4:]).open("a") as file:
            file.write(f"{child.pid}\n{os.getpid()}\n")
        re.match(r"(a+)+$", "a" * 64 + "b")  # in compiled code, and holding the interpreter
    threads = os.environ["OMP_NUM_THREADS"]
    return Success({"ie": 1.0, "pid": os.getpid(), "n_threads": int(threads)})

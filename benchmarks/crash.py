"""Kills runs at random moments and goes on with them: `python benchmarks/crash.py --rounds 50`.

Each round kills, by signal 9, the whole process group, the driver alone, a worker or the
interchange, at some moment of the time that a run without a kill takes. It resumes where the run
has ended, and checks that every value that `molloop status` had counted is there bit for bit, that
no molecule has two in a stage, that the run ends with the number that was asked for in each, that
with `batch` they are those of a run that was not interrupted, and that 30 s after the driver's end
no process of its run is left. Prints a line a round; exit code 1 where one fails.
"""

import argparse
import contextlib
import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from molloop.replay.table import locate
from molloop.simulate.outcome import Success
from molloop.store.reader import Reader

TABLE = locate("qm9-ie-20k")
N_MOLECULES = 600
TARGETS = ("group", "driver", "worker", "interchange")
ORPHANS_TIMEOUT_S = 30
MARK = "MOLLOOP_CRASH_ROUND"


def command(*words):
    return [sys.executable, "-m", "molloop", *map(str, words)]


def begin(run_dir, library, schedule, mark, arguments):
    """Start a run in a process group of its own."""
    counts = ("--max-training-count", arguments.values, "--workers", 2, "--policy", "gp")
    ladder = ("--ladder", arguments.ladder) if arguments.ladder else ()
    patience = ("--set", "site.worker_start_timeout_s=600")  # of a machine that others use too
    words = ("run", "--library", library, "--schedule", schedule, "--run-dir", run_dir)
    return subprocess.Popen(
        command(*words, *counts, *ladder, *patience),
        env=os.environ | {MARK: mark},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def members(mark):
    """Return pid -> command line of all processes of a round, whatever group they are in."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if words:
                        found[int(entry.name)] = words
    return found


def interchanges(driver_pid):
    """The interchange gives itself a title, which covers its environment."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(driver_pid).children()
        return [one for one in children if "interchange" in " ".join(one.cmdline())]
    return []


def is_alive(process):
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def find(target, driver_pid, mark, rng):
    """Return the process to kill; None where it is not there yet."""
    if target in ("group", "driver"):
        return driver_pid
    if target == "interchange":
        chosen = [one.pid for one in interchanges(driver_pid)]
    else:
        # workers are spawned by the pool's manager, after a process that holds its queues
        spawned = [pid for pid, words in members(mark).items() if "spawn_main" in words]
        chosen = sorted(spawned)[1:]
    return rng.choice(chosen) if chosen else None


def outcomes(run_dir):
    """Return what is stored, comparable bit for bit, and the keys of the successes."""
    if not (run_dir / "campaign.sqlite").exists():
        return {}, []
    with contextlib.closing(Reader.read(run_dir / "campaign.sqlite")) as store:
        rows = store.simulated()
    ok = [one for one in rows if isinstance(one.outcome, Success)]
    values = {
        one.job: (
            one.batch,
            one.outcome.value.hex(),
            one.outcome.geometry.positions_angstrom.tobytes(),
        )
        for one in ok
    }
    return values, [one.job for one in ok]


def status(run_dir):
    done = subprocess.run(
        command("status", "--json", run_dir), capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else None


def n_of_all(found):
    """Return how many values a status counts, of all stages."""
    return sum(found["n_of_stages"].values()) or found["n_values"]


def n_by_stage(values):
    return Counter(job.stage for job in values)


def kill(target, pid):
    """Kill a process, or its whole group."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if target == "group" else os.kill)(pid, signal.SIGKILL)


def orphans(mark, hubs, timeout_s):
    """Wait for the processes of a round to end; return the time that it took, and those left."""
    began_s = time.monotonic()
    while (members(mark) or any(map(is_alive, hubs))) and time.monotonic() < began_s + timeout_s:
        time.sleep(0.2)
    left = [*members(mark), *(one.pid for one in hubs if is_alive(one))]
    seconds = time.monotonic() - began_s
    for pid in left:
        kill("orphan", pid)
    return seconds, left


def go_on(run_dir, library, schedule, arguments):
    """Resume a run, or start it where it was killed before there was one; return what it says."""
    if (run_dir / "campaign.sqlite").exists():
        done = subprocess.run(
            command("resume", run_dir), capture_output=True, text=True, check=False
        )
        return done.returncode, done.stderr
    process = begin(run_dir, library, schedule, f"{run_dir}-again", arguments)
    _, stderr = process.communicate()
    return process.returncode, stderr


def wait_for_values(run_dir, n, process):
    """Wait until a run has stored so many."""
    while n and len(outcomes(run_dir)[0]) < n and process.poll() is None:
        time.sleep(0.1)


def play(number, folder, library, expected, whole_s, rng, arguments):
    """Play a round; return what to print of it, and what is wrong.

    A run that has ended before it could be killed is begun again.
    """
    target = arguments.targets[number % len(arguments.targets)]
    schedule = ("batch", "interleaved")[(number // len(arguments.targets)) % 2]
    pid = None
    while pid is None:
        run_dir = Path(tempfile.mkdtemp(dir=folder)) / "run"
        process = begin(run_dir, library, schedule, str(run_dir), arguments)
        wait_for_values(run_dir, arguments.after_values, process)
        time.sleep(rng.uniform(*((0.0, 0.3) if arguments.after_values else (0.05, 0.9))) * whole_s)
        hubs = interchanges(process.pid)
        counted = status(run_dir)
        before, _ = outcomes(run_dir)
        while pid is None and process.poll() is None:
            pid = find(target, process.pid, str(run_dir), rng)
    kill(target, pid)
    _, stderr = process.communicate(timeout=120 + 3 * whole_s)
    gone_s, left = orphans(str(run_dir), hubs, ORPHANS_TIMEOUT_S)
    is_resumed = process.returncode != 0
    code, words = 0, ""
    if is_resumed:
        code, words = go_on(run_dir, library, schedule, arguments)
    after, keys = outcomes(run_dir)
    ended = status(run_dir)
    n_counted = n_of_all(counted) if counted else 0
    is_lost = any(after.get(key) != value for key, value in before.items())
    checks = {
        f"a traceback: {stderr[-500:]}": "Traceback" in stderr,
        f"processes left: {left}": bool(left),
        f"it does not go on: {words[-500:]}": code != 0,
        "a stored value is lost or changed": is_lost or len(before) < n_counted,
        "a molecule has two values": len(keys) != len(set(keys)),
        f"{n_by_stage(after)} values": n_by_stage(after) != n_by_stage(expected),
        "others than without a kill": schedule == "batch" and after != expected,
        f"its state is {ended}": not ended or ended["state"] != "done",
    }
    line = f"{number:5} {schedule:>11} {target:>11} {n_counted:7} {is_resumed:7} {gone_s:6.1f}"
    return line, [what for what, is_wrong in checks.items() if is_wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=TARGETS)
    parser.add_argument("--values", type=int, default=120, help="of a run (120)")
    parser.add_argument("--ladder", help="levels of a run of several stages: gfn2,ipea1")
    parser.add_argument("--after-values", type=int, default=0, help="kill no earlier (0)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    n_wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with gzip.open(TABLE, "rt", newline="") as file:
            smiles = [row["smiles"] for row in csv.DictReader(file)]
        library = folder / "some.smi"
        library.write_text("\n".join(smiles[:: len(smiles) // N_MOLECULES]) + "\n")
        for name in ("first", "whole"):  # the first one builds the library
            began_s = time.monotonic()
            process = begin(folder / name, library, "batch", name, arguments)
            _, stderr = process.communicate()
            whole_s = time.monotonic() - began_s
            if process.returncode != 0:
                sys.exit(f"the run without a kill fails: {stderr}")
        expected, _ = outcomes(folder / "whole")
        if (found := min(n_by_stage(expected).values())) < min(arguments.values, 8):
            sys.exit(f"the run without a kill has {found} values in a stage")
        print(f"without a kill {whole_s:.1f} s")
        print("round    schedule      killed  before resumed  orphans gone after (s)")
        for number in range(arguments.first, arguments.first + arguments.rounds):
            line, wrong = play(number, folder, library, expected, whole_s, rng, arguments)
            print(line, *wrong, flush=True)
            n_wrong += bool(wrong)
    print(f"{arguments.rounds - n_wrong} of {arguments.rounds} rounds as they should be")
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()

"""How many simulations a driver can hand out: `python benchmarks/dispatch.py`.

Runs a campaign of random molecules only, with a simulator that computes nothing (noop.py), through
Parsl, on two workers: tasks of one molecule each, then groups that molloop sizes. Prints rates, and
the memory of driver and interchange at a tenth of the run and at most from then on.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.driver import Driver
from molloop.campaign.events import Finished
from molloop.campaign.plan import Plan
from molloop.campaign.schedule import Batch
from molloop.campaign.warm_start import WarmStart
from molloop.config.settings import Settings
from molloop.execution.parsl_config import parsl_config
from molloop.execution.parsl_engine import ParslEngine
from molloop.execution.site import Site
from molloop.molecule import Molecule
from molloop.search.policy import policy_named
from molloop.store.records import Session
from molloop.store.writer import Store

N_WORKERS = 2
LIMITS = {"one each": 500, "groups": 5000}
LARGEST_GROWTH = 1.10


class Molecules:
    """So much of a library as a campaign without rankings needs."""

    shards = ()
    scaling = None

    def __init__(self, n_molecules):
        self.n_molecules = n_molecules

    @staticmethod
    def molecule(molecule_id):
        return Molecule(molecule_id, "C")


class Memory:
    """Memory of driver and interchange in MB, now and then, once a tenth of all is done."""

    def __init__(self, n):
        self.n = n
        self.n_done = 0
        self.began_s = None
        self.samples = []
        self.engine = None

    def listen(self, _time_s, event, _item):
        if isinstance(event, Finished):
            self.began_s = self.began_s or time.perf_counter()
            self.n_done += 1
            if self.n_done >= self.n / 10 and self.n_done % (self.n // 200) == 0:
                pids = (os.getpid(), self.engine._executor.interchange_proc.pid)
                self.samples.append([psutil.Process(pid).memory_info().rss / 1e6 for pid in pids])


def run(n, group_size):
    """Run n simulations; return the rate, and memory at a tenth and at most, of both."""
    settings = Settings.model_validate({"property": {"simulator": "noop:nothing", "name": "n"}})
    memory = Memory(n)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        config = parsl_config(Site(workers=N_WORKERS), folder / "parsl")
        engine = ParslEngine(config, folder / "scratch", 60)
        memory.engine = engine
        plan = Plan(InitialDesign(n, 1), Dispatch(N_WORKERS, group_size), n, n, 4, 1.0)
        store = Store.create(folder / "campaign.sqlite", Session("", "", {}))
        with contextlib.closing(engine), contextlib.closing(store):
            Driver(
                engine,
                store,
                Molecules(n),
                Batch(plan),
                policy_named("published"),
                settings.objective(),
                settings.protocol(),
                WarmStart((), {"fingerprints": np.empty((0, 32), np.uint8)}),
                1,
                memory.listen,
            ).run()
            seconds = time.perf_counter() - memory.began_s
    return n / seconds, memory.samples[0], np.max(memory.samples, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--molecules", type=int, default=1_000_000)
    parser.add_argument("--run", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    here = Path(__file__).parent
    if str(here) not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        # workers import the simulator
        os.environ["PYTHONPATH"] = str(here)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    missed = []
    print(f"{'':>9} {'molecules/s':>11}  driver (MB)  interchange (MB): at a tenth, and most later")
    for name, n, group_size in (
        ("one each", arguments.tasks, 1),
        ("groups", arguments.molecules, None),
    ):
        rate, first, most = run(n, group_size)
        print(
            f"{name:>9} {rate:11,.0f}  {first[0]:5.0f} {most[0]:5.0f}  {first[1]:5.0f} "
            f"{most[1]:5.0f}",
            flush=True,
        )
        if rate < LIMITS[name] or (most > LARGEST_GROWTH * np.array(first)).any():
            missed.append(name)
    if missed:
        sys.exit(f"missed: {LIMITS} molecules/s, {LARGEST_GROWTH} x the memory")


if __name__ == "__main__":
    main()

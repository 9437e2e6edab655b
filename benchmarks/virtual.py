"""Campaigns on thousands of virtual workers: `python benchmarks/virtual.py`.

Values and durations come from the table qm9-ie-20k, the durations times 100; a molecule of a
library that is enumerated for it takes those of a random row. The driver, its schedule and its
rankings (ridge) are the real ones. Printed is the share of all workers' time that was used until
the last molecule was handed out, and the driver's own time an event, the engine's left out.
"""

import argparse
import csv
import gzip
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from molloop import enumerate_library
from molloop.assembly.schedule import make_course
from molloop.campaign.driver import Driver
from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Finished, Ranked, Submitted
from molloop.campaign.warm_start import read_warm_start
from molloop.config.settings import Settings
from molloop.execution.virtual import Costs, VirtualEngine
from molloop.library.selection import Selection
from molloop.library.shards import Library
from molloop.replay.table import locate
from molloop.simulate.outcome import Success
from molloop.store.writer import Store

HERE = Path(__file__).parent
TABLE = locate("qm9-ie-20k")
EXAMPLES = HERE.parent / "examples"
SLOWER = 100
PER_WORKER = 50
LEAST_UTILISATION = 0.95
MOST_MS = 0.3


def table():
    """Values and durations of the table."""
    with gzip.open(TABLE, "rt", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["ie_ev"]]
    values, durations = ([float(row[name]) for row in rows] for name in ("ie_ev", "cpu_s"))
    return np.array(values), SLOWER * np.array(durations)


class Stopwatch:
    """An engine whose methods' own time is not the driver's."""

    def __init__(self, engine):
        self.seconds = 0.0
        self.now, self.has_workers, self.halt = engine.now, engine.has_workers, engine.halt
        self.simulate, self.rank, self.wait = map(
            self._timed, (engine.simulate, engine.rank, engine.wait)
        )

    def _timed(self, method):
        def timed(*arguments):
            began_s = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - began_s

        return timed


def run(library, n_workers, per_worker, values, durations):
    rng = np.random.default_rng(1)
    rows = rng.integers(0, len(values), library.n_molecules)

    def lookup(molecule_id, _smiles, _stage):
        row = rows[molecule_id]
        return Success({"ie": float(values[row])}, seconds=float(durations[row]))

    settings = Settings.model_validate(
        {
            "campaign": {
                "max_training_count": per_worker * n_workers,
                "initial_training_count": 2 * n_workers,
            },
            "search": {"policy": "ridge"},
        }
    )
    costs = Costs(dispatch_s=0.001, train_s=1.0, rank_s=1.0)
    engine = Stopwatch(VirtualEngine(lookup, n_workers, costs, 0.0, rng))
    store = Store.temporary()
    counts = {"events": 0, "rankings": 0}
    last_s = 0.0

    def listen(time_s, event, _item):
        nonlocal last_s
        counts["events"] += isinstance(event, Finished | Ranked)
        counts["rankings"] += isinstance(event, Ranked)
        if isinstance(event, Submitted):
            last_s = time_s

    driver = Driver(
        engine,
        store,
        library,
        make_course(settings, Selection.of_all(library), n_workers, settings.protocols()).schedule,
        settings.policy(),
        settings.objective(),
        settings.protocol(),
        read_warm_start(None, "ie_ev", settings.protocol(), library),
        1,
        listen,
    )
    began_s = time.perf_counter()
    driver.run()
    own_s = time.perf_counter() - began_s - engine.seconds
    tasks = store.tasks()
    tasks += [Task(Work.SIMULATE, "", one.began_s, one.ended_s) for one in store.simulated()]
    used_s = sum(max(0.0, min(one.ended_s, last_s) - one.began_s) for one in tasks)
    return used_s / (n_workers * last_s), 1000 * own_s / counts["events"], counts, last_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--per-worker", type=int, default=PER_WORKER, help="simulations")
    parser.add_argument("--library", type=Path, help="folder of a library (one is enumerated)")
    arguments = parser.parse_args()
    values, durations = table()
    missed = False
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.library:
            library = Library(arguments.library)
        else:
            lists = (str(EXAMPLES / "scaffolds.smi"), str(EXAMPLES / "substituents.smi"))
            n = 2 * arguments.per_worker * max(arguments.workers)
            library = enumerate_library(*lists, Path(scratch) / "library", max_molecules=n)
        print(f"{library.n_molecules:,} molecules, {arguments.per_worker} simulations a worker")
        print(
            f"{'workers':>8} {'utilisation':>11} {'ms an event':>11} {'rankings':>8} {'hours':>6}"
        )
        for n_workers in arguments.workers:
            used, own_ms, counts, last_s = run(
                library, n_workers, arguments.per_worker, values, durations
            )
            cells = f"{used:11.3f} {own_ms:11.3f} {counts['rankings']:8} {last_s / 3600:6.2f}"
            print(f"{n_workers:8} {cells}", flush=True)
            missed = missed or used < LEAST_UTILISATION or own_ms > MOST_MS
    if missed:
        sys.exit(f"missed: utilisation {LEAST_UTILISATION}, {MOST_MS} ms an event")


if __name__ == "__main__":
    main()

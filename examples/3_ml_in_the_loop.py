"""The loop: simulate, train, rank, simulate what the model finds best, and again.

The exercise: change the three parameters to find the molecule with the largest ionization energy
in the shortest time. `molloop run` does the same with a database, a progress display and more.
"""

import sys
import tempfile
import time
from concurrent.futures import as_completed
from pathlib import Path

import parsl

from molloop import Settings, open_library
from molloop.assembly.site import site_of
from molloop.campaign.design import InitialDesign
from molloop.campaign.events import Began, Ranked, RankingBegan
from molloop.campaign.jobs import Simulated
from molloop.config.load import load
from molloop.execution.parsl_config import parsl_config
from molloop.report.figures import write_loop_figure
from molloop.results import Results
from molloop.sandbox.worker import run_group
from molloop.search import rank
from molloop.search.policy import policy_named
from molloop.simulate.outcome import Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask

INITIAL_TRAINING_COUNT = 8  # random molecules before the first model
MAX_TRAINING_COUNT = 24  # simulated values after which the loop ends
BATCH_SIZE = 4  # molecules simulated between two trainings
SEED = 42
PROTOCOL = SimulationProtocol(options={"level": "gfn2"})
POLICY = policy_named("published")  # or gp, ridge, forest
FIGURE = Path("runs/examples/parsl_ml_in_the_loop")  # a .png and a .svg

simulate = parsl.python_app(run_group)
train = parsl.python_app(rank.fit)
scan = parsl.python_app(rank.scan)
merge = parsl.python_app(rank.merge)


class Loop:
    """What the loop has learned so far."""

    def __init__(self, library, folder):
        self.library = library
        self.folder = folder
        self.began_s = time.time()
        self.simulated = []
        self.events = []

    @property
    def values(self):
        """Molecule id -> IE in eV."""
        return {
            item.molecule_id: item.outcome.value
            for item in self.simulated
            if isinstance(item.outcome, Success)
        }

    def simulate(self, molecule_ids, batch):
        """Simulate some molecules at the same time, and wait for all of them."""
        if not molecule_ids:
            raise SystemExit("every molecule of the library has been tried")
        task = SimulationTask(PROTOCOL)
        futures = {simulate([self.library.molecule(key)], task): key for key in molecule_ids}
        ended_s = {}
        for future in as_completed(futures):
            ended_s[futures[future]] = time.time() - self.began_s
        # in the order of the proposals: what is learned may not depend on who was faster
        for future, key in futures.items():
            done = future.result()
            [(began_s, _)] = done.times_s
            when = (ended_s[key], done.worker, began_s - self.began_s, ended_s[key])
            place, smiles = len(self.simulated), self.library.smiles(key)
            self.simulated.append(
                Simulated(place, key, PROTOCOL.stage, smiles, batch, *when, done.outcomes[0])
            )

    def rank(self, n, batch):
        """Train on all values; return the ids of the n best molecules that were never tried."""
        folder = self.folder / f"ranking-{batch}"
        folder.mkdir()
        task = rank.RankTask(folder, POLICY, n, seed=(SEED, batch))
        tried = [item.molecule_id for item in self.simulated]
        training = rank.Training.of(self.library, POLICY.features, self.values, tried)
        training.write(task.training)
        began_s = time.time() - self.began_s
        model = train(task)
        parts = [scan(task, shard, task.n_candidates, model) for shard in self.library.shards]
        best = merge(task, task.n_candidates, model, *parts).result()
        columns = (best.ids, best.means, best.stds)
        ids, means, stds = (tuple(column.tolist()) for column in columns)
        ranked = Ranked(batch, ids, means, stds)
        self.events += [(began_s, RankingBegan(batch, len(self.values)))]
        self.events += [(time.time() - self.began_s, ranked)]
        return ids

    def report(self, batch):
        """Print the best molecule so far."""
        values = self.values
        best = max(values, key=values.__getitem__)
        print(
            f"iteration {batch}: {len(values)} values, the best is "
            f"{values[best]:.3f} eV, {self.library.smiles(best)}"
        )


if __name__ == "__main__":
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    library = open_library(Settings())
    site = load(None, (), {"site.name": (*sys.argv[1:], "local")[0]}).site
    config = parsl_config(site_of(site), Path("runs/examples/parsl").absolute())
    with parsl.load(config), tempfile.TemporaryDirectory(dir=FIGURE.parent) as folder:
        loop = Loop(library, Path(folder).absolute())
        design = InitialDesign(library.n_molecules, SEED)
        while (missing := INITIAL_TRAINING_COUNT - len(loop.values)) > 0:
            molecule_ids, _ = design.take(len(loop.simulated), missing)
            loop.simulate(molecule_ids, batch=0)
        loop.report(0)
        batch = 0
        while (missing := MAX_TRAINING_COUNT - len(loop.values)) > 0:
            batch += 1
            proposals = loop.rank(max(5, BATCH_SIZE), batch)
            loop.simulate(proposals[: min(BATCH_SIZE, missing)], batch)
            loop.report(batch)

    objective = Settings().objective()
    events = ((0.0, Began(library.n_molecules, 0)), *loop.events)
    results = Results(objective, PROTOCOL, (), events, tuple(loop.simulated))
    write_loop_figure(results, FIGURE)
    print(f"{FIGURE}.png shows the way there")

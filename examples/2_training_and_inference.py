"""Simulate some molecules, train a model on them, rank a library with it: all on the workers.

Apps are tied by their data: give a future to another app, and Parsl starts that one when the data
is there. Nothing in this script waits until it needs a result itself.
"""

import sys
import tempfile
from concurrent.futures import as_completed
from pathlib import Path

import parsl

from molloop import Settings, open_library
from molloop.assembly.site import site_of
from molloop.campaign.design import InitialDesign
from molloop.config.load import load
from molloop.execution.parsl_config import parsl_config
from molloop.sandbox.worker import run_one
from molloop.search import rank
from molloop.search.policy import policy_named
from molloop.simulate.outcome import Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask

N_SIMULATIONS = 16
SEED = 42
FOLDER = Path("runs/examples").absolute()  # which all nodes see
TASK = SimulationTask(SimulationProtocol(options={"level": "gfn2"}))
POLICY = policy_named("published")  # or gp, ridge, forest

# a function of molloop becomes an app as any function does
simulate = parsl.python_app(run_one)
train = parsl.python_app(rank.fit)
scan = parsl.python_app(rank.scan)
merge = parsl.python_app(rank.merge)


def simulate_random_molecules(library, n):
    """Simulate random molecules until n of them have a value: molecule id -> IE in eV."""
    design = InitialDesign(library.n_molecules, SEED)
    drawn = list(design.take(0, n)[0])
    molecule_of = {simulate(library.molecule(key), TASK): key for key in drawn}
    values = {}
    while len(values) < n and molecule_of:
        # whichever ends first comes first; a failure is replaced by the next random molecule
        future = next(as_completed(molecule_of))
        molecule_id = molecule_of.pop(future)
        outcome = future.result()
        if isinstance(outcome, Success):
            values[molecule_id] = outcome.value
            print(f"{len(values):3}  {outcome.value:.3f} eV  {library.smiles(molecule_id)}")
        else:
            print(f"  -  {outcome.kind}: {outcome.message}")
            for replacement in design.take(len(drawn), 1)[0]:
                drawn.append(replacement)
                molecule_of[simulate(library.molecule(replacement), TASK)] = replacement
    return values


def rank_library(library, values, n, folder):
    """Train on the values and choose the n best of the library that were not simulated."""
    task = rank.RankTask(folder, POLICY, n, seed=(SEED, 1))
    rank.Training.of(library, POLICY.features, values).write(task.training)
    model = train(task)  # a future
    # a task per shard: each waits for the model, all run at the same time
    parts = [scan(task, shard, task.n_candidates, model) for shard in library.shards]
    return merge(task, task.n_candidates, model, *parts).result()


if __name__ == "__main__":
    library = open_library(Settings())  # QM9: built at the first use, then opened at once
    site = load(None, (), {"site.name": (*sys.argv[1:], "local")[0]}).site
    config = parsl_config(site_of(site), FOLDER / "parsl")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with parsl.load(config), tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        values = simulate_random_molecules(library, N_SIMULATIONS)
        best = rank_library(library, values, 10, Path(folder))

    print(f"\nThe best predicted of {library.n_molecules:,} molecules, by {len(values)} values")
    for molecule_id, ie_ev in zip(best.ids, best.means, strict=True):
        print(f"{ie_ev:.3f} eV  {library.smiles(int(molecule_id))}")

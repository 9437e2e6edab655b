"""Run one simulation with Parsl.

A function with a decorator becomes an app. Calling an app gives a future at once; the work is
done by a worker, and `result()` waits for it.
"""

import sys
from pathlib import Path

import parsl

from molloop.assembly.site import site_of
from molloop.config.load import load
from molloop.execution.parsl_config import parsl_config


@parsl.python_app
def simulate(smiles):
    """Compute the vertical ionization energy of a molecule, on a worker."""
    from molloop.molecule import Molecule
    from molloop.sandbox.worker import run_one
    from molloop.simulate.protocol import SimulationProtocol
    from molloop.simulate.task import SimulationTask

    task = SimulationTask(SimulationProtocol(options={"level": "gfn2"}))
    return run_one(Molecule(0, smiles), task)


if __name__ == "__main__":
    # one worker process on this machine; in a job on a supercomputer: polaris instead of local
    site = load(None, (), {"site.name": (*sys.argv[1:], "local")[0], "site.workers": 1}).site
    with parsl.load(parsl_config(site_of(site), Path("runs/examples/parsl").absolute())):
        future = simulate("O")  # water
        print(f"The call came back at once with a future; done: {future.done()}")

        outcome = future.result()  # waits
        print(f"The vertical ionization energy of water: {outcome.value:.3f} eV (GFN2-xTB)")

"""What the guard itself costs a molecule: `python benchmarks/guard.py`.

A simulator that computes nothing (noop.py), called through the guard, and in turn through a bare
pipe to a process that answers: what is between the two is for answers that are the right ones.
"""

import argparse
import os
import time
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

from noop import nothing

from molloop.molecule import Molecule
from molloop.sandbox.guard import Guard
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask

TASK = SimulationTask(SimulationProtocol(simulator="noop:nothing", timeout_s=60.0))


def answer(pipe):
    """Answer each molecule, until there is none."""
    while (molecule := pipe.recv()) is not None:
        pipe.send(nothing(molecule.smiles))


def microseconds(call, n):
    """Return the time of one of n calls."""
    began_s = time.perf_counter()
    for _ in range(n):
        call()
    return (time.perf_counter() - began_s) / n * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    path = (str(Path(__file__).parent), os.environ.get("PYTHONPATH", ""))
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    molecule = Molecule(0, "CCO")
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=answer, args=(theirs,))
    process.start()

    def ask():
        ours.send(molecule)
        return ours.recv()

    with closing(Guard()) as guard:
        calls = {"guard": lambda: guard.run(molecule, TASK), "bare pipe": ask}
        assert all(call().value == 3.0 for call in calls.values())
        turns = [
            {name: microseconds(call, arguments.calls) for name, call in calls.items()}
            for _ in range(arguments.turns)
        ]
    ours.send(None)
    process.join()
    for name in calls:
        times_us = sorted(turn[name] for turn in turns)
        least_us, median_us = times_us[0], times_us[len(turns) // 2]
        print(f"{name}: {least_us:.0f} µs a molecule at least, {median_us:.0f} µs in the median")


if __name__ == "__main__":
    main()

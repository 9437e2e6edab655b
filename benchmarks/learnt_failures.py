"""What it is worth to learn from failures: `python benchmarks/learnt_failures.py`.

Replays of the table qm9-ie-20k in which some of the molecules fail, with the default policy and
with the same one that does not learn from failures: 8 random molecules, then batches of four, 200
simulations, the seeds 1000 to 1019. Printed is how many of the best 100, of those with a value, are
found after 100 and 200 simulations without and with it, the ratio of the two, and its paired
interval. Exit code 1 where it is below 1.1 with failures that a search is
drawn to, or where the two differ though nothing fails.
"""

import argparse
import sys
from dataclasses import replace
from functools import partial

import numpy as np
from rdkit import Chem

from molloop.assembly.cases import case_of
from molloop.assembly.tables import open_known
from molloop.config.load import load
from molloop.execution.virtual import Costs
from molloop.intervals import mean_interval
from molloop.replay.campaign import Scenario
from molloop.replay.compare import compare
from molloop.replay.measures import Truth

COLUMNS = {"ie_ev": "maximise", "homo_ev": "minimise"}
# what fails: molecules with one of these substructures
SUBSTRUCTURES = {
    "drawn": ("C#N", "o", "[N+]"),  # seven in ten of the best 100 have one
    "spread": ("C#C", "C1OC1"),  # one to two in ten of the best 100, a third at most of 1,000
}
SHARE_AT_RANDOM = 0.2
CHECKPOINTS = (100, 200)
TOP_K = 100
LEAST_RATIO = 1.1
SETTINGS = {
    "campaign.schedule": "batch",
    "campaign.initial_training_count": 8,
    "campaign.batch_size": 4,
    "campaign.max_training_count": CHECKPOINTS[-1],
    "campaign.max_failure_share": 1.0,
}
SCENARIO = Scenario(costs=Costs(0.0, 0.0, 0.0))


def failing(library):
    """Name of what fails -> by molecule id, whether it does; nothing where the table says it."""
    molecules = [Chem.MolFromSmiles(library.smiles(key)) for key in range(library.n_molecules)]

    def with_one(smarts):
        patterns = list(map(Chem.MolFromSmarts, smarts))
        return np.array([any(map(one.HasSubstructMatch, patterns)) for one in molecules])

    at_random = np.random.default_rng(0).random(len(molecules)) < SHARE_AT_RANDOM
    return {
        **{name: with_one(smarts) for name, smarts in SUBSTRUCTURES.items()},
        "random": at_random,
        "as it is": None,
        "none": np.zeros(len(molecules), dtype=bool),
    }


def table_of(table, fails):
    """Return a table in which just these fail; what has no value otherwise gets the mean."""
    if fails is None:
        return table
    values = np.where(np.isnan(table.values), np.nanmean(table.values), table.values)
    return replace(table, values=np.where(fails, np.nan, values))


def case(learns, settings, table, seed):
    """Return what is played: a simulation takes a second, so that the time is their number."""
    played = case_of(settings, table, SCENARIO, seed)
    policy = replace(played.policy, learns_failures=learns)
    return replace(played, policy=policy, time_limit_s=CHECKPOINTS[-1] + 0.5)


def ratio(ours, theirs):
    """Return the ratio of the means, and its paired 95% interval, to first order in what varies."""
    middle = ours.mean() / theirs.mean()
    off = mean_interval((ours - middle * theirs)[:, None] / theirs.mean())
    return middle, middle + off.low[0], middle + off.high[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--columns", nargs="+", default=list(COLUMNS), choices=COLUMNS)
    parser.add_argument("--policy", default="gp")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cases", nargs="+", default=[])
    arguments = parser.parse_args()
    missed = []
    for column in arguments.columns:
        direction = COLUMNS[column]
        whole = open_known("qm9-ie-20k", column, durations="constant:1")
        settings = load(
            None,
            (),
            SETTINGS | {"property.direction": direction, "search.policy": arguments.policy},
        )
        print(f"{direction} {column}: {arguments.seeds} seeds, simulations without, with, ratio")
        sign = settings.objective().sign
        for name, fails in failing(whole.library).items():
            if arguments.cases and name not in arguments.cases:
                continue
            table = table_of(whole, fails)
            truth = Truth.of(table.values, sign, TOP_K)
            found = compare(
                table,
                {
                    learns: partial(case, learns == "with", settings, table)
                    for learns in ("without", "with")
                },
                range(1000, 1000 + arguments.seeds),
                SCENARIO,
                truth,
                arguments.processes,
            )
            cells = []
            for n in CHECKPOINTS:
                ours, theirs = (
                    TOP_K * found.after(one, "recall", n) for one in ("with", "without")
                )
                middle, low, high = ratio(ours, theirs)
                cells.append(
                    f"{n}: {theirs.mean():5.1f} {ours.mean():5.1f}  "
                    f"{middle:.2f} ({low:.2f} to {high:.2f})"
                )
                if name == "drawn" and middle < LEAST_RATIO:
                    missed.append(f"{column}, {name}: {middle:.2f} after {n}")
                if name == "none" and (ours != theirs).any():
                    missed.append(f"{column}: not the same after {n} though nothing fails")
            share = np.isnan(table.values).mean()
            print(f"{name:9} {share:5.1%} fail   {'   '.join(cells)}", flush=True)
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()

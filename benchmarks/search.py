"""What policies find, and how soon: `python benchmarks/search.py`.

Replays of the table qm9-ie-20k, 8 random molecules, then batches of four, up to 200 values, with
the seeds 1000 to 1019. Printed is the share of the true best 100 that was found on the way (mean
over the seeds, and the 95% interval of the last), and in how many runs the best molecule of all
was among the first 24. Exit code 1 where the default policy misses its limits.
"""

import argparse
import sys

from molloop.assembly import replays
from molloop.assembly.tables import open_known
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.intervals import mean_interval

CHECKPOINTS = (24, 48, 100, 200)
LEAST = {24: 0.12, 100: 0.72, 200: 0.965}
LEAST_SEEDS_WITH_BEST = 0.9
POLICIES = ("gp", "gp-greedy", "gp-ei", "ridge", "ridge-ucb", "ridge-ei", "forest")
BUDGET = {
    "campaign.schedule": "batch",
    "campaign.initial_training_count": 8,
    "campaign.batch_size": 4,
    "campaign.max_training_count": CHECKPOINTS[-1],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policies", nargs="+", default=[])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--column", default="ie_ev")
    parser.add_argument("--direction", default="maximise")
    parser.add_argument("--diversity", type=float, default=0.0, help="as of search.diversity")
    arguments = parser.parse_args()
    default = Settings().search.policy
    policies = list(dict.fromkeys([default, *(arguments.policies or POLICIES)]))
    table = open_known("qm9-ie-20k", arguments.column)
    asked = {
        "property.direction": arguments.direction,
        "search.diversity": arguments.diversity,
    }
    settings = load(None, (), BUDGET | asked)
    found = replays.compare_policies(table, policies, settings, arguments.seeds)
    print(f"{table.name}, {arguments.column}: {table.library.n_molecules:,} molecules")
    headings = "".join(f"{n:>8}" for n in CHECKPOINTS)
    print(f"{'':12}{headings}   interval      best within {CHECKPOINTS[0]}")
    missed = []
    for policy in found.curves:
        recall = found.over_simulations(policy, "recall")
        best = found.over_simulations(policy, "best")
        means = {n: recall[:, n - 1].mean() for n in CHECKPOINTS}
        band = mean_interval(recall[:, CHECKPOINTS[-1] - 1 :][:, :1])
        n_best = int((best[:, CHECKPOINTS[0] - 1] == found.truth.best).sum())
        cells = "".join(f"{means[n]:8.3f}" for n in CHECKPOINTS)
        interval = f"{band.low[0]:.3f} to {band.high[0]:.3f}"
        print(f"{policy:12}{cells}   {interval} {n_best:4} of {arguments.seeds}", flush=True)
        if policy == default and arguments.column == "ie_ev" and not arguments.diversity:
            missed += [
                f"{means[n]:.3f} after {n}" for n, least in LEAST.items() if means[n] < least
            ]
            if n_best < LEAST_SEEDS_WITH_BEST * arguments.seeds:
                missed.append(f"the best in {n_best}")
    if missed:
        sys.exit(f"the default misses: {', '.join(missed)}")


if __name__ == "__main__":
    main()

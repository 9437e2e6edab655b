"""What fails of random molecules of QM9: `python benchmarks/failures.py`."""

import argparse
from collections import Counter

import numpy as np

from molloop import Settings, open_library, simulate_molecules
from molloop.simulate.outcome import Failure


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecules", type=int, default=2000)
    n = parser.parse_args().molecules
    library = open_library(Settings())
    ids = np.random.default_rng(1).choice(library.n_molecules, n, replace=False)
    kinds, flags = Counter(), Counter()
    for outcome in simulate_molecules(library.smiles(int(key)) for key in ids):
        if isinstance(outcome, Failure):
            kinds[outcome.kind] += 1
            if outcome.kind != "rearranged":
                print(f"{outcome.kind}: {outcome.message}")
        else:
            flags.update(outcome.flags)
    others = sum(count for kind, count in kinds.items() if kind != "rearranged")
    print(f"{n} molecules: {kinds['rearranged']} rearranged ({kinds['rearranged'] / n:.2%}), "
          f"all other failures {others} ({others / n:.2%}), flags {dict(flags)}")  # fmt: skip


if __name__ == "__main__":
    main()

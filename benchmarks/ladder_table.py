"""IEs of QM9 molecules at three levels, with their costs: `python benchmarks/ladder_table.py FILE`.

The molecules are of the table qm9-ie-20k: 500 random ones; the best 400 by GFN2, as the table says;
the best 400 by IPEA1, of the best 5,000 by GFN2 and the random ones; and, until there are 1,700,
those that the default model expects most of, which learns from all B3LYP values of the others. Each
is computed by the protocol, from its SMILES, at each level.

It takes some ten hours on one core, may be stopped at any time, and goes on where FILE ends: a row
is a value or a failure, with the flags and the processor time (s). `--show` computes nothing and
shows what FILE has; `--write TABLE` writes the molecules that have all levels as a table for
replays, which ladder.py plays.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import csv
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from molloop import Molecule, Success, load, suggest
from molloop.goal import slug
from molloop.replay.table import locate
from molloop.simulate.task import SimulationTask

CHEAP, MIDDLE, DEAR = LEVELS = ("gfn2", "ipea1", "b3lyp/def2-svp")
COLUMNS = ("smiles", "level", "chosen_by", "ie_ev", "failure", "flags", "cpu_s")
N_RANDOM, N_BEST, N_SCREENED, N_IN_ALL = 500, 400, 5000, 1700
SEED = 1


class Rows:
    """Rows of a file, which grows by one at a time; what a kill left of the last one is dropped."""

    def __init__(self, path):
        text = path.read_text() if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        rows = list(csv.DictReader(whole.splitlines()))
        self._of = {(row["smiles"], row["level"]): row for row in rows}
        self._path, self._n_bytes, self._file = path, len(whole.encode()), None

    def __contains__(self, key):
        return key in self._of

    def add(self, row):
        self._of[row["smiles"], row["level"]] = {name: str(row[name]) for name in COLUMNS}
        if self._file is None:  # who only looks leaves alone what another process is writing
            self._file = self._path.open("a", newline="")
            self._file.truncate(self._n_bytes)
        writer = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")
        if not self._n_bytes:
            writer.writeheader()
            self._n_bytes = 1
        writer.writerow(row)
        self._file.flush()
        os.fsync(self._file.fileno())

    def values(self, level, smiles):
        """Return the value of each molecule (eV), nan where it has none."""
        found = (self._of.get((one, level), {}).get("ie_ev") or "nan" for one in smiles)
        return np.array(list(map(float, found)))

    def cost(self, level, smiles):
        return float(self._of[smiles, level]["cpu_s"])

    def costs(self, level):
        return [self.cost(level, smiles) for smiles, other in self._of if other == level]

    def has_all(self, smiles):
        return all((smiles, level) in self for level in LEVELS)

    def molecules(self):
        return list(dict.fromkeys(smiles for smiles, level in self._of if level == DEAR))


class Tasks:
    """A task a level, in this process: its processor time is the molecule's."""

    def __init__(self):
        self._of = {
            level: SimulationTask(load(simulation={"level": level}).protocol()) for level in LEVELS
        }
        for task in self._of.values():
            task.run(Molecule(0, "O"))  # importing costs no molecule anything

    def row(self, smiles, level, chosen_by):
        began_s = time.process_time()
        outcome = self._of[level].run(Molecule(0, smiles))
        cpu_s = time.process_time() - began_s
        is_success = isinstance(outcome, Success)
        return {
            "smiles": smiles,
            "level": level,
            "chosen_by": chosen_by,
            "ie_ev": f"{outcome.value:.5f}" if is_success else "",
            "failure": "" if is_success else outcome.kind,
            "flags": " ".join(outcome.flags) if is_success else "",
            "cpu_s": f"{cpu_s:.4f}",
        }


def best(smiles, values, n):
    """Return the n molecules of the largest values."""
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    return [smiles[k] for k in order[:n] if np.isfinite(values[k])]


def computed(rows, tasks, smiles, levels, chosen_by):
    """Compute what is not there of some molecules."""
    for number, one in enumerate(smiles, 1):
        for level in levels:
            if (one, level) not in rows:
                rows.add(tasks.row(one, level, chosen_by))
        if number % 50 == 0:
            print(f"{chosen_by}: {number} of {len(smiles)}", flush=True)


def compute(rows, folder):
    """Compute all that is not there, one choice after the other."""
    table = pd.read_csv(locate("qm9-ie-20k"))
    pool, by_gfn2 = table["smiles"].tolist(), table["ie_ev"].to_numpy(float)
    tasks = Tasks()
    drawn = np.random.default_rng(SEED).choice(len(pool), N_RANDOM, replace=False)
    random = [pool[k] for k in drawn]
    computed(rows, tasks, random, LEVELS, "random")
    highest = best(pool, by_gfn2, N_SCREENED)
    computed(rows, tasks, highest[:N_BEST], LEVELS, CHEAP)
    computed(rows, tasks, highest, (MIDDLE,), "screen")
    screened = list(dict.fromkeys([*highest, *random]))
    by_ipea1 = best(screened, rows.values(MIDDLE, screened), N_BEST)
    computed(rows, tasks, by_ipea1, LEVELS, MIDDLE)
    chosen = list(dict.fromkeys([*random, *highest[:N_BEST], *by_ipea1]))
    known = dict(zip(chosen, rows.values(DEAR, chosen).tolist(), strict=True))
    library = folder / "pool.smi"
    library.write_text("\n".join(pool) + "\n")
    found = suggest(library, known, N_IN_ALL - len(chosen), policy="gp")
    computed(rows, tasks, [one.smiles for one in found.molecules], LEVELS, "model")


def write(rows, path):
    """Write a row a molecule that has a row of each level; what failed has no value."""
    columns = {"smiles": [one for one in rows.molecules() if rows.has_all(one)]}
    for level in LEVELS:
        columns[f"ie_ev_{slug(level)}"] = rows.values(level, columns["smiles"])
    for level in LEVELS:
        columns[f"cpu_s_{slug(level)}"] = [rows.cost(level, one) for one in columns["smiles"]]
    pd.DataFrame(columns).to_csv(path, index=False)


def show(rows):
    """Say how many there are, what they cost, and how the levels order them."""
    smiles = rows.molecules()
    reference = rows.values(DEAR, smiles)
    for level in LEVELS:
        costs_s, values = rows.costs(level), rows.values(level, smiles)
        both = np.isfinite(values) & np.isfinite(reference)
        rank = spearmanr(values[both], reference[both]).statistic
        print(
            f"{level:<15} {len(costs_s):>5} rows, {np.isfinite(values).sum():>5} values of "
            f"{len(smiles)} molecules; {np.mean(costs_s):.3f} s a row, median "
            f"{np.median(costs_s):.3f} s; rank correlation with {DEAR} {rank:.3f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--show", action="store_true", help="compute nothing")
    parser.add_argument("--write", metavar="TABLE", type=Path, help="compute nothing")
    given = parser.parse_args()
    given.file.parent.mkdir(parents=True, exist_ok=True)
    rows = Rows(given.file)
    if given.write:
        write(rows, given.write)
        return
    if not given.show:
        compute(rows, given.file.parent)
    show(rows)


if __name__ == "__main__":
    main()

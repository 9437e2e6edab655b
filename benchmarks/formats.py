"""What the format of a file costs: `python benchmarks/formats.py`.

The same molecules of QM9 as .smi, .csv, .tsv, .parquet, a column of InChI, a flat SDF and one in
space with all hydrogens: each is read, and built into a library, in this process, in turns. Times
are of the processor, per molecule. `over .smi` is the build from .smi by this one's: medians of the
turns. `over RDKit` is the build without the features, by RDKit's own reading of the same file and
its canonical SMILES; that of .smi tells how much of it no format can spare.

`--damaged N` damages N files of all kinds and reads them.
"""

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
import time
from functools import partial
from itertools import islice
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))

import pyarrow as pa
from damaged_files import damage_many
from pyarrow import parquet
from rdkit import Chem, rdBase
from rdkit.Chem.rdDistGeom import EmbedMolecule

from molloop.library import sources
from molloop.library.facts import facts
from molloop.library.featurize import LINES_AT_ONCE
from molloop.library.ingest import build
from molloop.library.kinds import kinds_of
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.reading.options import Reading
from molloop.library.stereo import n_unspecified

ROUNDS = 5
FORMATS = ("csv", "tsv", "parquet", "sdf", "sdf3d", "inchi")
BARE = ("smi", "inchi", "sdf", "sdf3d")  # what is compared with RDKit's own reading


def chosen(n):
    """Return SMILES of QM9, spread over it."""
    paths = [sources.locate("qm9")]
    texts = [text for block in sources.blocks(paths, Reading()) for text in block.texts]
    return texts[:: max(1, len(texts) // n)][:n]


def write_files(folder, smiles, is_embedded):
    """Write the molecules in each format; return the files by format."""
    molecules = [Chem.MolFromSmiles(text) for text in smiles]
    names = [f"mol{number}" for number in range(len(smiles))]
    rows = list(zip(smiles, names, strict=True))
    files = {kind: folder / f"m.{kind}" for kind in ("smi", "csv", "tsv", "parquet", "sdf")}
    files["sdf3d"] = folder / "m3d.sdf"
    files["inchi"] = folder / "m.inchi.csv"
    files["smi"].write_text("".join(f"{text} {name}\n" for text, name in rows))
    files["csv"].write_text("".join(f"{a},{b}\n" for a, b in [("smiles", "name"), *rows]))
    files["tsv"].write_text("".join(f"{a}\t{b}\n" for a, b in [("smiles", "name"), *rows]))
    parquet.write_table(pa.table({"smiles": smiles, "name": names}), files["parquet"])
    with Chem.SDWriter(str(files["sdf"])) as flat, Chem.SDWriter(str(files["sdf3d"])) as in_space:
        for molecule, name in zip(molecules, names, strict=True):
            molecule.SetProp("_Name", name)
            flat.write(molecule)
            if is_embedded:
                whole = Chem.AddHs(molecule)
                if EmbedMolecule(whole, randomSeed=1) == 0:
                    in_space.write(whole)
    with rdBase.BlockLogs():
        lines = [f'"{Chem.MolToInchi(molecule)}"\n' for molecule in molecules]
    files["inchi"].write_text("inchi\n" + "".join(lines))
    return files


def timed(work):
    """Return the processor seconds of a piece of work, and what it returns."""
    began_s = time.process_time()
    found = work()
    return time.process_time() - began_s, found


def read(path):
    return sum(len(block.texts) for block in sources.blocks([path], Reading()))


def built(path, folder):
    return build(Files.of([str(path)]), folder, BuildSpec()).n_molecules


def read_by_rdkit(kind, path):
    """Read with RDKit alone, one molecule after the other."""
    if kind.startswith("sdf"):
        molecules = Chem.SDMolSupplier(str(path))
    elif kind == "smi":
        lines = path.read_text().splitlines()
        molecules = map(Chem.MolFromSmiles, [line.partition(" ")[0] for line in lines])
    else:
        lines = path.read_text().splitlines()
        molecules = map(Chem.MolFromInchi, [line.strip().strip('"') for line in lines[1:]])
    return filter(None, molecules)


def bare(kind, path):
    """Read with RDKit alone, to canonical SMILES."""
    with rdBase.BlockLogs():
        return [Chem.MolToSmiles(one) for one in read_by_rdkit(kind, path)]


def featured(kind, path):
    """Return the processor seconds that take what a library keeps of molecules beside SMILES."""
    kinds = kinds_of(BuildSpec().morgan)
    seconds = 0.0
    with rdBase.BlockLogs():
        molecules = read_by_rdkit(kind, path)
        while some := list(islice(molecules, LINES_AT_ONCE)):
            list(map(Chem.MolToSmiles, some))
            began_s = time.process_time()
            facts(some)
            for one in kinds.values():
                one.compute(some)
            list(map(n_unspecified, some))
            seconds += time.process_time() - began_s
    return seconds


def compare(n, rounds, kinds):
    smiles = chosen(n)
    n = len(smiles)
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), smiles, "sdf3d" in kinds)
        files = {kind: path for kind, path in files.items() if kind in ("smi", *kinds)}
        times = {}
        for number in range(rounds + 1):
            turn = {}
            for kind, path in files.items():
                turn["read", kind] = timed(partial(read, path))[0]
                library = Path(folder) / f"{kind}-{number}"
                turn["build", kind], n_built = timed(partial(built, path, library))
                shutil.rmtree(library)
                assert n_built > 0.9 * n, f"{kind}: {n_built} of {n} molecules"
                if kind in BARE:
                    turn["bare", kind] = timed(partial(bare, kind, path))[0]
                    turn["features", kind] = featured(kind, path)
            if number:  # the first turn also imports and warms up
                for key, seconds in turn.items():
                    times.setdefault(key, []).append(seconds)
    print(f"{n:,} molecules of QM9, {rounds} turns, µs of processor time a molecule")
    headings = (("read", 8), ("build", 8), ("over .smi", 11), ("features", 10), ("RDKit", 8))
    print(" " * 10 + "".join(f"{one:>{width}}" for one, width in (*headings, ("over RDKit", 12))))
    for kind in files:
        cells = [
            f"{1e6 * statistics.median(times[what, kind]) / n:8.1f}" for what in ("read", "build")
        ]
        pairs = zip(times["build", "smi"], times["build", kind], strict=True)
        cells.append(f"{statistics.median(a / b for a, b in pairs):11.2f}")
        if kind in BARE:
            columns = (times["build", kind], times["features", kind], times["bare", kind])
            ratios = [
                (whole - features) / own for whole, features, own in zip(*columns, strict=True)
            ]
            cells.append(f"{1e6 * statistics.median(times['features', kind]) / n:10.1f}")
            cells.append(f"{1e6 * statistics.median(times['bare', kind]) / n:8.1f}")
            cells.append(f"{statistics.median(ratios):12.2f}")
        print(f"{kind:10}{''.join(cells)}", flush=True)


def damage(n):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, told = timed(lambda: damage_many(n))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{n:,} damaged files, each read as a library and as a table: {len(told):,} told in a line "
        f"of {max(map(len, told)):,} characters at most, no other exception; {seconds:.0f} s, "
        f"memory from {before // 1024} to {after // 1024} MB"
    )
    assert all(one.isprintable() for one in told)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--molecules", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    parser.add_argument("--damaged", type=int, help="damage so many files, and read them")
    arguments = parser.parse_args()
    if arguments.damaged:
        damage(arguments.damaged)
    else:
        compare(arguments.molecules, arguments.rounds, arguments.formats)


if __name__ == "__main__":
    main()

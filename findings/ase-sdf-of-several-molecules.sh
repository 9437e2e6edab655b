#!/usr/bin/env bash
# ASE 3.29.0 and RDKit 2026.9.1, seen on 2026-11-29.
#
# Of an SDF that RDKit has written, ASE reads the first record only, also where all are asked for. Of
# one in the V3000 form it reads no atoms at all, without a message: a molecule of nothing. An ion
# comes back without its charge, and what ASE writes has no bonds.
#
# Seen:
#   all of two records: 1 read, H2O
#   V3000: 0 atoms
#   ammonium: charge 0
#   written: 9 atoms, 0 bonds
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ase==3.29.0 rdkit==2026.9.1
cat > "$folder/seen" <<'SEEN'
all of two records: 1 read, H2O
V3000: 0 atoms
ammonium: charge 0
written: 9 atoms, 0 bonds
SEEN
cat > "$folder/convert.py" <<'PYTHON'
import os
import sys

from ase.io import read, write
from rdkit import Chem
from rdkit.Chem import rdDistGeom

os.chdir(sys.argv[1])


def written(path, *smiles, is_v3000=False):
    with Chem.SDWriter(path) as writer:
        writer.SetForceV3000(is_v3000)
        for text in smiles:
            molecule = Chem.AddHs(Chem.MolFromSmiles(text))
            rdDistGeom.EmbedMolecule(molecule, randomSeed=1)
            writer.write(molecule)
    return path


found = read(written("two.sdf", "O", "CCO"), index=":", format="sdf")
print(f"all of two records: {len(found)} read, {found[0].get_chemical_formula()}")
print(f"V3000: {len(read(written('v3000.sdf', 'CCO', is_v3000=True), format='sdf'))} atoms")
ammonium = read(written("ion.sdf", "[NH4+]"), format="sdf")
print(f"ammonium: charge {ammonium.get_initial_charges().sum():.0f}")
write("out.sdf", read(written("ethanol.sdf", "CCO"), format="sdf"))
with open("out.sdf") as file:
    counts = file.read().splitlines()[3]
print(f"written: {int(counts[:3])} atoms, {int(counts[3:6])} bonds")
PYTHON

"$folder/venv/bin/python" "$folder/convert.py" "$folder" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

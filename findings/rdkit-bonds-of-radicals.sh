#!/usr/bin/env bash
# RDKit 2026.9.1, seen on 2026-11-29.
#
# `rdDetermineBonds.DetermineBonds` finds no bonds for the coordinates of a neutral radical, by its
# default `allowChargedFragments=True`: what is missing at an atom becomes a charge, and the error
# says that the charge "does not match input" and names one that was not given: -1 or -3, where
# `charge=0` was. With `allowChargedFragments=False` the same coordinates give a radical; of NO, one
# with a single bond and three unpaired electrons.
#
# Seen:
#   CH3 True: Final molecular charge (0) does not match input (-1)
#   CH3 False: 1 unpaired
#   OH True: Final molecular charge (0) does not match input (-1)
#   OH False: 1 unpaired
#   NO True: Final molecular charge (0) does not match input (-3)
#   NO False: 3 unpaired
#   CH4 True: 0 unpaired
#   CH4 False: 0 unpaired
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1
cat > "$folder/seen" <<'SEEN'
CH3 True: Final molecular charge (0) does not match input (-1)
CH3 False: 1 unpaired
OH True: Final molecular charge (0) does not match input (-1)
OH False: 1 unpaired
NO True: Final molecular charge (0) does not match input (-3)
NO False: 3 unpaired
CH4 True: 0 unpaired
CH4 False: 0 unpaired
SEEN
cat > "$folder/read.py" <<'PYTHON'
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds

PLACES = {
    "CH3": "C 0 0 0\nH 1.079 0 0\nH -0.5395 0.9344 0\nH -0.5395 -0.9344 0",
    "OH": "O 0 0 0\nH 0.97 0 0",
    "NO": "N 0 0 0\nO 1.15 0 0",
    "CH4": "C 0 0 0\nH .63 .63 .63\nH -.63 -.63 .63\nH -.63 .63 -.63\nH .63 -.63 -.63",
}
for name, places in PLACES.items():
    for is_allowed in (True, False):
        molecule = Chem.MolFromXYZBlock(f"{places.count(chr(10)) + 1}\n\n{places}\n")
        try:
            rdDetermineBonds.DetermineBonds(
                molecule, charge=0, allowChargedFragments=is_allowed
            )
            told = f"{sum(a.GetNumRadicalElectrons() for a in molecule.GetAtoms())} unpaired"
        except ValueError as error:
            told = str(error).partition(";")[0]
        print(f"{name} {is_allowed}: {told}")
PYTHON

"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

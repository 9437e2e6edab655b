#!/usr/bin/env bash
# tblite 0.8.0, seen on 2026-11-29.
#
# O2 has two unpaired electrons. GFN2-xTB fills orbitals at 300 K, and without spin polarisation it
# puts one electron into each of the two highest ones in both states: the density of the triplet and
# that of the singlet are the same. What parts them is the entropy of the filling, 4 ln(2) kT, and the
# singlet comes out lower by just that. So the spin of a molecule's ground state cannot be found by
# comparing its energies.
#
# Seen:
#   0 unpaired: occupations 2 2 2 2 2 1 1 0
#   2 unpaired: occupations 2 2 2 2 2 1 1 0
#   singlet above triplet -0.0717 eV, 4 ln(2) kT 0.0717 eV
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tblite==0.8.0
cat > "$folder/seen" <<'SEEN'
0 unpaired: occupations 2 2 2 2 2 1 1 0
2 unpaired: occupations 2 2 2 2 2 1 1 0
singlet above triplet -0.0717 eV, 4 ln(2) kT 0.0717 eV
SEEN
cat > "$folder/compute.py" <<'PYTHON'
import numpy as np
from tblite.interface import Calculator

EV = 27.211386
KT_HARTREE = 9.5e-4  # at 300 K
energies = {}
for n_unpaired in (0, 2):
    positions_bohr = np.array([[0, 0, 0], [0, 0, 2.28]])
    calculator = Calculator("GFN2-xTB", np.array([8, 8]), positions_bohr, uhf=n_unpaired)
    calculator.set("verbosity", 0)
    result = calculator.singlepoint()
    energies[n_unpaired] = EV * result.get("energy")
    occupations = " ".join(f"{one:.0f}" for one in result.get("orbital-occupations"))
    print(f"{n_unpaired} unpaired: occupations {occupations}")
gap = energies[0] - energies[2]
print(f"singlet above triplet {gap:.4f} eV, 4 ln(2) kT {4 * np.log(2) * KT_HARTREE * EV:.4f} eV")
PYTHON

OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/compute.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

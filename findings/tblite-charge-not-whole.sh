#!/usr/bin/env bash
# tblite 0.8.0, seen on 2026-11-29.
#
# A charge that is whole but for the last digits, as a sum of partial charges is, is not rounded. The
# electrons are then counted as of another molecule, and the energy is off by electronvolts, without a
# message. With 0.99999999 water's cation comes out 8.5 eV above the one with charge 1.
#
# Seen:
#   charge 1: ionization energy 18.324 eV
#   charge 0.99999999: ionization energy 26.777 eV
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tblite==0.8.0
cat > "$folder/seen" <<'SEEN'
charge 1: ionization energy 18.324 eV
charge 0.99999999: ionization energy 26.777 eV
SEEN
cat > "$folder/compute.py" <<'PYTHON'
import numpy as np
from tblite.interface import Calculator

EV = 27.211386
numbers = np.array([8, 1, 1])
positions_bohr = np.array([[0, 0, 0.22], [0, 1.43, -0.89], [0, -1.43, -0.89]])


def energy_ev(charge):
    calculator = Calculator("GFN2-xTB", numbers, positions_bohr, charge=charge)
    calculator.set("verbosity", 0)
    return EV * calculator.singlepoint().get("energy")


for charge in (1, 0.99999999):
    print(f"charge {charge}: ionization energy {energy_ev(charge) - energy_ev(0):.3f} eV")
PYTHON

OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/compute.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

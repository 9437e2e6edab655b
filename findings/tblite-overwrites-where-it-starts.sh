#!/usr/bin/env bash
# tblite 0.8.0, seen on 2026-11-29.
#
# A calculation can start from the result of another one, and is then faster. The result that it starts
# from is not only read: the new result is written into it, and it is also what is returned. Who keeps
# a neutral molecule's result, starts its cation from it and then takes the difference of the two
# energies gets 0.
#
# Seen:
#   neutral -5.07036 Hartree
#   cation -4.39695 Hartree
#   the neutral's result afterwards -4.39695 Hartree
#   one object: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tblite==0.8.0
cat > "$folder/seen" <<'SEEN'
neutral -5.07036 Hartree
cation -4.39695 Hartree
the neutral's result afterwards -4.39695 Hartree
one object: True
SEEN
cat > "$folder/compute.py" <<'PYTHON'
import numpy as np
from tblite.interface import Calculator

numbers = np.array([8, 1, 1])
positions_bohr = np.array([[0, 0, 0.22], [0, 1.43, -0.89], [0, -1.43, -0.89]])


def calculator(**state):
    made = Calculator("GFN2-xTB", numbers, positions_bohr, **state)
    made.set("verbosity", 0)
    return made


neutral = calculator().singlepoint()
print(f"neutral {neutral.get('energy'):.5f} Hartree")
cation = calculator(charge=1, uhf=1).singlepoint(neutral)
print(f"cation {cation.get('energy'):.5f} Hartree")
print(f"the neutral's result afterwards {neutral.get('energy'):.5f} Hartree")
print(f"one object: {cation is neutral}")
PYTHON

OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/compute.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

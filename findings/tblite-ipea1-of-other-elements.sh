#!/usr/bin/env bash
# tblite 0.8.0, seen on 2026-11-29.
#
# IPEA1-xTB is GFN1-xTB fitted anew to ionization energies and electron affinities. It was fitted for
# some elements only. The others are computed all the same, without a message, by GFN1-xTB's
# parameters: the free atoms of 37 elements, neutral and as cations, have the very energies of
# GFN1-xTB. Silicon is among them. A solvent is taken without a message, too, though none was fitted
# for it.
#
# Seen:
#   same as GFN1-xTB: 37 elements
#   2 10 13 14 18 19 20 35 36 37 38 39 43 44 45 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 84 85 86
#   helium: 43.09 eV by both
#   water in water, by IPEA1-xTB: -0.26 eV
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tblite==0.8.0
cat > "$folder/seen" <<'SEEN'
same as GFN1-xTB: 37 elements
2 10 13 14 18 19 20 35 36 37 38 39 43 44 45 53 54 55 56 57 58 59 60 61 62 63 64 65 66 67 68 69 70 71 84 85 86
helium: 43.09 eV by both
water in water, by IPEA1-xTB: -0.26 eV
SEEN
cat > "$folder/compute.py" <<'PYTHON'
import numpy as np
from tblite.interface import Calculator

EV = 27.211386
METHODS = ("GFN1-xTB", "IPEA1-xTB")


def energy_ev(method, numbers, positions_bohr, charge=0, solvent=""):
    calculator = Calculator(method, np.array(numbers), np.array(positions_bohr), charge=charge)
    calculator.set("verbosity", 0)
    if solvent:
        calculator.add("alpb-solvation", solvent)
    return EV * calculator.singlepoint().get("energy")


def atom_ev(method, number, charge):
    try:
        return energy_ev(method, [number], [[0.0, 0.0, 0.0]], charge)
    except Exception:  # some transition metals do not converge
        return None


same = []
for number in range(1, 87):
    pairs = [[atom_ev(method, number, charge) for method in METHODS] for charge in (0, 1)]
    if all(None not in pair and abs(pair[0] - pair[1]) < 1e-8 for pair in pairs):
        same.append(number)
print(f"same as GFN1-xTB: {len(same)} elements")
print(*same)
helium = [atom_ev(method, 2, 1) - atom_ev(method, 2, 0) for method in METHODS]
print(f"helium: {helium[0]:.2f} eV by both" if abs(helium[0] - helium[1]) < 1e-8 else helium)
water = [8, 1, 1], [[0, 0, 0.22], [0, 1.43, -0.89], [0, -1.43, -0.89]]
shift = energy_ev("IPEA1-xTB", *water, solvent="water") - energy_ev("IPEA1-xTB", *water)
print(f"water in water, by IPEA1-xTB: {shift:.2f} eV")
PYTHON

OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/compute.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

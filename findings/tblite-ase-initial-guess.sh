#!/usr/bin/env bash
# tblite 0.8.0 with ASE 3.29.0, seen on 2026-11-29.
#
# The ASE calculator `TBLite` documents the parameter `initial_guess` (sad, eeq or eeqbc). It is
# accepted and changes nothing: the guess stays "sad". What the code reads is `guess`, which is not
# documented. A wrong word for `initial_guess` is accepted as well, one for `guess` is not.
#
# Seen:
#   documented: initial_guess
#   initial_guess=eeq: guess is sad
#   guess=eeq: guess is eeq
#   initial_guess=none: guess is sad
#   guess=none: KeyError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tblite==0.8.0 ase==3.29.0
cat > "$folder/seen" <<'SEEN'
documented: initial_guess
initial_guess=eeq: guess is sad
guess=eeq: guess is eeq
initial_guess=none: guess is sad
guess=none: KeyError
SEEN
cat > "$folder/read.py" <<'PYTHON'
import re

from ase.build import molecule
from tblite.ase import TBLite

documented = re.findall(r"^\s*(initial_guess|guess)\s", TBLite.__doc__, re.MULTILINE)
print("documented:", *documented)
for name, word in (
    ("initial_guess", "eeq"),
    ("guess", "eeq"),
    ("initial_guess", "none"),
    ("guess", "none"),
):
    atoms = molecule("H2O")
    try:
        atoms.calc = TBLite(method="GFN2-xTB", verbosity=0, **{name: word})
        atoms.get_potential_energy()
        told = f"guess is {atoms.calc.parameters.guess}"
    except Exception as error:
        told = type(error).__name__
    print(f"{name}={word}: {told}")
PYTHON

"$folder/venv/bin/python" "$folder/read.py" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

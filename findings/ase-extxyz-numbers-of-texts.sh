#!/usr/bin/env bash
# ASE 3.29.0, seen on 2026-11-30.
#
# A text in `Atoms.info` that looks like something else does not come back as a text from extended
# XYZ: the catalogue number "007" is the number 7, "1e3" is 1000.0, the name "T" is True. The writer
# puts no quotation marks around them, and the reader guesses.
#
# Seen:
#   '007' comes back as 7
#   '1e3' comes back as 1000.0
#   'T' comes back as True
#   'A7' comes back as 'A7'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ase==3.29.0
cat > "$folder/seen" <<'SEEN'
'007' comes back as 7
'1e3' comes back as 1000.0
'T' comes back as True
'A7' comes back as 'A7'
SEEN
cat > "$folder/store.py" <<'PYTHON'
import sys

from ase import Atoms
from ase.io import read, write

for name in ("007", "1e3", "T", "A7"):
    write(sys.argv[1], Atoms("He", info={"name": name}), format="extxyz")
    found = read(sys.argv[1]).info["name"]
    print(f"{name!r} comes back as {getattr(found, 'item', lambda: found)()!r}")
PYTHON

"$folder/venv/bin/python" "$folder/store.py" "$folder/atoms.xyz" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

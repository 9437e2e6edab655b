#!/usr/bin/env bash
# ASE 3.29.0, seen on 2026-11-29.
#
# A key `charge` beside the atoms of a row is taken by ASE's database, as `n_unpaired` is, and comes
# back as 0.0: the row has a number of its own by that name, the sum of the atoms' initial charges,
# which stands in front of what the user has stored. A search for the charge finds nothing.
#
# Seen:
#   charge 0.0, n_unpaired 1
#   rows with charge=1: 0, with n_unpaired=1: 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ase==3.29.0
cat > "$folder/seen" <<'SEEN'
charge 0.0, n_unpaired 1
rows with charge=1: 0, with n_unpaired=1: 1
SEEN
cat > "$folder/store.py" <<'PYTHON'
import sys

from ase.build import molecule
from ase.db import connect

with connect(sys.argv[1]) as database:
    database.write(molecule("H2O"), key_value_pairs={"charge": 1, "n_unpaired": 1})
row = connect(sys.argv[1]).get(1)
print(f"charge {row.charge}, n_unpaired {row.n_unpaired}")
counts = [len(list(connect(sys.argv[1]).select(f"{key}=1"))) for key in ("charge", "n_unpaired")]
print(f"rows with charge=1: {counts[0]}, with n_unpaired=1: {counts[1]}")
PYTHON

"$folder/venv/bin/python" "$folder/store.py" "$folder/rows.db" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

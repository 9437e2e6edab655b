#!/usr/bin/env bash
# RDKit 2026.9.1, seen on 2026-11-29.
#
# `MolFromSmiles` returns a molecule for texts that hold more than it reads, without an error or a
# word in its log: what stands behind a line end, a NUL or a next-line sign (U+0085) is left out.
# Two lines that a quoted cell of a table has run together are the molecule of the first line. With a
# carriage return, or a NUL in the middle, the same text is refused.
#
# Seen:
#   'C\nC' -> C
#   '\x00C\x00' -> C
#   'CO\x85' -> CO
#   'C\rN' -> refused
#   'C\x00N' -> refused
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1 numpy==2.4.6
cat > "$folder/seen" <<'SEEN'
'C\nC' -> C
'\x00C\x00' -> C
'CO\x85' -> CO
'C\rN' -> refused
'C\x00N' -> refused
SEEN
cat > "$folder/read.py" <<'PYTHON'
from rdkit import Chem

for text in ("C\nC", "\0C\0", "CO\x85", "C\rN", "C\0N"):
    molecule = Chem.MolFromSmiles(text)
    print(ascii(text), "->", "refused" if molecule is None else Chem.MolToSmiles(molecule))
PYTHON

"$folder/venv/bin/python" "$folder/read.py" 2> "$folder/log" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

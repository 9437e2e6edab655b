#!/usr/bin/env bash
# RDKit 2026.9.1, seen on 2026-11-29.
#
# A CXSMILES extension that says a radical of an atom that the SMILES does not have, or that has no
# meaning at all, is left out: the molecule comes back without it, no error, no warning. One whose
# closing bar is missing is no molecule. So a typing error in the number of an atom makes ethanol of a
# radical.
#
# Seen:
#   CCO |^1:0|: [CH2]CO
#   CCO |^1:9|: CCO
#   CCO |zzz|: CCO
#   CCO |^1:0: no molecule
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1
cat > "$folder/seen" <<'SEEN'
CCO |^1:0|: [CH2]CO
CCO |^1:9|: CCO
CCO |zzz|: CCO
CCO |^1:0: no molecule
SEEN
cat > "$folder/read.py" <<'PYTHON'
from rdkit import Chem

for text in ("CCO |^1:0|", "CCO |^1:9|", "CCO |zzz|", "CCO |^1:0"):
    molecule = Chem.MolFromSmiles(text)
    print(f"{text}: {'no molecule' if molecule is None else Chem.MolToSmiles(molecule)}")
PYTHON

"$folder/venv/bin/python" "$folder/read.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

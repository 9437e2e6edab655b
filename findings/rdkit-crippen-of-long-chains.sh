#!/usr/bin/env bash
# RDKit 2026.9.1, seen on 2026-11-29.
#
# Crippen's logP is a sum over atoms, so that a chain grows by the same amount for each carbon. Beyond
# some 500 carbons it does not: RDKit looks for at most 1,000 matches of a pattern, and atoms beyond
# them get no contribution, without a message. Of a chain of 700, 402 hydrogens are left out, and logP
# is 211 instead of 273. A polymer or a large peptide reaches that size.
#
# Seen:
#   100 carbons: logP 39.256, atoms without a contribution: 0
#   400 carbons: logP 156.286, atoms without a contribution: 0
#   500 carbons: logP 195.050, atoms without a contribution: 2
#   700 carbons: logP 211.434, atoms without a contribution: 402
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1
cat > "$folder/seen" <<'SEEN'
100 carbons: logP 39.256, atoms without a contribution: 0
400 carbons: logP 156.286, atoms without a contribution: 0
500 carbons: logP 195.050, atoms without a contribution: 2
700 carbons: logP 211.434, atoms without a contribution: 402
SEEN
cat > "$folder/read.py" <<'PYTHON'
from rdkit import Chem
from rdkit.Chem import Crippen, rdMolDescriptors

for n in (100, 400, 500, 700):
    molecule = Chem.MolFromSmiles("C" * n)
    atoms = rdMolDescriptors._CalcCrippenContribs(Chem.AddHs(molecule))
    n_without = sum(log_p == 0 for log_p, _ in atoms)
    log_p = Crippen.MolLogP(molecule)
    print(f"{n} carbons: logP {log_p:.3f}, atoms without a contribution: {n_without}")
PYTHON

"$folder/venv/bin/python" "$folder/read.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

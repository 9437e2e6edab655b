#!/usr/bin/env bash
# RDKit 2026.9.1, seen on 2026-11-29.
#
# `rdMolStandardize.Uncharger` neutralises by hydrogens. For acids and ammonium ions these are protons,
# and the molecule is the one that a bottle holds. A carbocation cannot lose one: it is given a hydride
# instead, so that methyl and benzyl cations become methane and toluene, other molecules with two
# electrons more. A quaternary ammonium ion stays as it is. None of this is told.
#
# Seen:
#   [NH4+] -> N
#   CC(=O)[O-] -> CC(=O)O
#   [CH3+] -> C
#   C[CH+]C -> CCC
#   [CH2+]c1ccccc1 -> Cc1ccccc1
#   C[N+](C)(C)C -> C[N+](C)(C)C
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check rdkit==2026.9.1
cat > "$folder/seen" <<'SEEN'
[NH4+] -> N
CC(=O)[O-] -> CC(=O)O
[CH3+] -> C
C[CH+]C -> CCC
[CH2+]c1ccccc1 -> Cc1ccccc1
C[N+](C)(C)C -> C[N+](C)(C)C
SEEN
cat > "$folder/read.py" <<'PYTHON'
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

uncharger = rdMolStandardize.Uncharger()
IONS = ("[NH4+]", "CC(=O)[O-]", "[CH3+]", "C[CH+]C", "[CH2+]c1ccccc1", "C[N+](C)(C)C")
for smiles in IONS:
    found = uncharger.uncharge(Chem.MolFromSmiles(smiles))
    print(f"{smiles} -> {Chem.MolToSmiles(found)}")
PYTHON

"$folder/venv/bin/python" "$folder/read.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

#!/usr/bin/env bash
# scikit-learn 1.9.1, seen on 2026-11-30.
#
# A random forest learns nothing of values whose variance is below 2.2e-16, the rounding of 1.0: a
# node of so little impurity counts as pure. Inhibition constants of some nmol/L, written in mol/L,
# are such values. All molecules are predicted alike, without a word; the same values in nmol/L are
# told apart. The bound is absolute, so it is the unit that decides.
#
# Seen, of 40 values: how many different predictions:
#   in nmol/L: 40
#   in mol/L: 1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1
cat > "$folder/seen" <<'SEEN'
in nmol/L: 40
in mol/L: 1
SEEN
cat > "$folder/fit.py" <<'PYTHON'
import numpy as np
from sklearn.ensemble import RandomForestRegressor

descriptors = np.arange(40.0).reshape(-1, 1)
constants_nmol_l = 1.0 + np.arange(40) / 5
for unit, values in (("nmol/L", constants_nmol_l), ("mol/L", 1e-9 * constants_nmol_l)):
    forest = RandomForestRegressor(random_state=0, bootstrap=False).fit(descriptors, values)
    print(f"in {unit}: {len(set(forest.predict(descriptors)))}")
PYTHON

"$folder/venv/bin/python" "$folder/fit.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

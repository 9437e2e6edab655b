#!/usr/bin/env bash
# PySCF 2.14.0 beside NumPy 2.4.6, seen on 2026-11-30.
#
# The wheel of PySCF brings OpenBLAS 0.3.3, of August 2018. It knows no processor that came later,
# and takes the kernels of the Pentium 4 of 2004 (Prescott) there, without AVX. On an AMD EPYC of
# 2021 `pyscf.lib.dot` multiplied two matrices of 2,000 rows at 19 billion operations a second on
# one core, `numpy.dot` in the same process at 48 to 83. The variable OPENBLAS_CORETYPE=Haswell has
# it take the kernels with AVX. Which kernels are taken depends on the processor, and is printed
# last; the version is what this script holds.
#
# Seen:
#   OpenBLAS of PySCF: 0.3.3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyscf==2.14.0 numpy==2.4.6
cat > "$folder/seen" <<'SEEN'
OpenBLAS of PySCF: 0.3.3
SEEN
cat > "$folder/look.py" <<'PYTHON'
import ctypes
import re
import sys
from pathlib import Path

import pyscf

[library] = [one for one in Path(pyscf.__file__).parents[1].rglob("libopenblas*.so") if "pyscf" in str(one)]
print("OpenBLAS of PySCF:", re.search(r"(\d+\.\d+\.\d+)\.so", library.name)[1])
configuration = ctypes.CDLL(str(library)).openblas_get_config
configuration.restype = ctypes.c_char_p
print("here:", configuration().decode(), file=sys.stderr)
PYTHON

"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

#!/usr/bin/env bash
# PySCF 2.14.0, seen on 2026-11-29.
#
# Unrestricted Hartree-Fock of N2's cation says that it has converged, from each initial guess. From
# `huckel` it has converged to an excited state, 10 eV too high. The state that the default guess
# gives is no minimum either: following what the check of its stability proposes leads 0.65 eV down,
# to a state that is stable and not a pure doublet. `converged` says nothing of all this.
#
# Seen:
#   minao: converged True, 15.83 eV, then 15.18 eV, stable, <S2> 1.17
#   huckel: converged True, 26.18 eV, then 15.83 eV, then 15.18 eV, stable, <S2> 1.17
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyscf==2.14.0
cat > "$folder/seen" <<'SEEN'
minao: converged True, 15.83 eV, then 15.18 eV, stable, <S2> 1.17
huckel: converged True, 26.18 eV, then 15.83 eV, then 15.18 eV, stable, <S2> 1.17
SEEN
cat > "$folder/compute.py" <<'PYTHON'
from pyscf import gto, scf

EV = 27.211386
MOST = 5
N2 = {"atom": "N 0 0 0; N 0 0 1.0977", "basis": "def2-svp", "verbose": 0}
neutral = scf.RHF(gto.M(**N2)).kernel()
for guess in ("minao", "huckel"):
    cation = scf.UHF(gto.M(charge=1, spin=1, **N2))
    cation.init_guess = guess
    found = [cation.kernel()]
    told = f"{guess}: converged {cation.converged}"
    orbitals, _, is_stable, _ = cation.stability(return_status=True)
    while not is_stable and len(found) < MOST:
        found.append(cation.kernel(cation.make_rdm1(orbitals, cation.mo_occ)))
        orbitals, _, is_stable, _ = cation.stability(return_status=True)
    energies = ", then ".join(f"{EV * (one - neutral):.2f} eV" for one in found)
    end = "stable" if is_stable else "not stable"
    print(f"{told}, {energies}, {end}, <S2> {cation.spin_square()[0]:.2f}")
PYTHON

OMP_NUM_THREADS=1 "$folder/venv/bin/python" "$folder/compute.py" 2> /dev/null | tee "$folder/now"
diff "$folder/seen" "$folder/now" && echo "as seen"

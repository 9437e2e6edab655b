"""A small program: the energy of a molecule by PBE0/def2-SVP, which PySCF computes.

python pyscf_energy.py FILE.xyz CHARGE UNPAIRED
"""

import sys

from pyscf import dft, gto


def main():
    """Print the energy in Hartree."""
    file, charge, unpaired = sys.argv[1:]
    molecule = gto.M(atom=file, charge=int(charge), spin=int(unpaired), basis="def2-svp", verbose=0)
    solver = dft.UKS(molecule, xc="pbe0").density_fit()
    solver.kernel()
    if not solver.converged:
        sys.exit("it does not converge")
    print(f"energy {solver.e_tot:.8f}")


if __name__ == "__main__":
    main()

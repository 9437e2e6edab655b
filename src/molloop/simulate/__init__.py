"""A SMILES becomes an outcome."""

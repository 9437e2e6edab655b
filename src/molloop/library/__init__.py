"""The search space: files of SMILES become shards on disk, features and all, once."""

"""A simulator that computes nothing, for benchmarks/dispatch.py."""

from molloop.simulate.outcome import Success


def nothing(smiles):
    """Return a value."""
    return Success(float(len(smiles)))

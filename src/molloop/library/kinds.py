"""The kinds of features that every library keeps, in columns of its shards.

Others are computed where a model learns from them: see :mod:`molloop.library.beside`.
"""

from molloop.library.features import FeatureKind, Fingerprints, MoleculeDescriptors, MorganSpec

# kind -> column
COLUMNS = {"fingerprints": "fingerprint", "descriptors": "descriptors"}


def kinds_of(spec: MorganSpec) -> dict[str, FeatureKind]:
    """Return the kinds as a library has them that is built in some way, by name."""
    return {"fingerprints": Fingerprints(spec), "descriptors": MoleculeDescriptors()}

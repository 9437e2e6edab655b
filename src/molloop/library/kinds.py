"""The kinds of features, by name.

A kind is a file of this folder and a line here. Libraries that are built from then on keep it in a
column of their shards.
"""

from molloop.library.features import FeatureKind
from molloop.registry import import_thing

_CLASSES = {
    "fingerprints": "molloop.library.features:Fingerprints",
    "descriptors": "molloop.library.features:StandardisedDescriptors",
}
KINDS: dict[str, FeatureKind] = {name: import_thing(one)() for name, one in _CLASSES.items()}


def all_names() -> tuple[str, ...]:
    """Return what the numbers of all kinds are, those that depend on a build left out."""
    return tuple(name for kind in KINDS.values() for name in kind.names)

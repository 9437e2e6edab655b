"""Policies: which model and which acquisition choose the molecules.

Light to import: the configuration reads the names.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """What is chosen.

    Attributes
    ----------
    model
        A key of :data:`molloop.surrogate.MODELS`.
    acquisition
        A key of :data:`molloop.search.acquisition.ACQUISITIONS`.
    """

    model: str
    acquisition: str


POLICIES = {
    # the nearest-neighbour regressor of the tutorial
    "published": Policy(model="knn", acquisition="greedy"),
}

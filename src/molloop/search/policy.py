"""Policies: which model, on which features, and which acquisition choose the molecules.

Light to import: the configuration reads the names.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Policy:
    """What is chosen.

    Attributes
    ----------
    model
        A key of ``molloop.surrogate.MODELS``.
    features
        ``fingerprints`` or ``descriptors``: what the model learns from.
    acquisition
        A key of ``molloop.search.acquisition.ACQUISITIONS``.
    summary
        For users.
    """

    model: str
    features: str
    acquisition: str
    summary: str


SELECTABLE = ("greedy", "ucb", "ei")  # acquisitions that a policy's name may end with

POLICIES = {
    "published": Policy(
        "knn",
        "fingerprints",
        "greedy",
        "the tutorial's nearest neighbours on Morgan fingerprints, greedy",
    ),
    "gp": Policy(
        "gp",
        "descriptors",
        "ucb",
        "a Gaussian process on descriptors, upper confidence bound",
    ),
    "ridge": Policy("ridge", "descriptors", "greedy", "linear regression on descriptors, greedy"),
    "forest": Policy(
        "forest", "descriptors", "ucb", "a random forest on descriptors, upper confidence bound"
    ),
    "random": Policy("ridge", "descriptors", "random", "random molecules, to compare with"),
}


def policy_named(name: str) -> Policy:
    """Return a policy by its name, or by that and another acquisition: ``gp-ei``.

    Raises
    ------
    KeyError
        There is none.
    """
    base, dash, acquisition = name.partition("-")
    policy = POLICIES[base]
    if not dash:
        return policy
    if acquisition not in SELECTABLE or policy.acquisition == "random":
        raise KeyError(name)
    return replace(policy, acquisition=acquisition)

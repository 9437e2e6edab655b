"""Policies: which model, on which features, and which acquisition choose the molecules.

Light to import: the configuration reads the names. A model is imported where a policy is made.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from molloop.errors import InputError
from molloop.library import registry as features
from molloop.surrogate.registry import MODELS, RANDOM, SETTING, model_class

if TYPE_CHECKING:
    import numpy as np

    from molloop.surrogate.model import Features, Floats, Surrogate

SELECTABLE = ("greedy", "ucb", "ei")  # acquisitions that a policy's name may end with


@dataclass(frozen=True, slots=True)
class Policy:
    """What is chosen.

    Attributes
    ----------
    model
        Its class, ``package.module:Class``.
    features
        What the model learns from: a name as of ``search.features``.
    acquisition
        A key of ``molloop.search.acquisition.ACQUISITIONS``.
    learns_failures
        Whether a molecule like those that failed is expected to fail.
    diversity
        Tanimoto distance of any two molecules of a batch, and of each from what is pending, at
        least; 0: none.
    """

    model: str
    features: str
    acquisition: str
    learns_failures: bool = True
    diversity: float = 0.0

    @property
    def predicts(self) -> bool:
        """Whether it goes by predictions of a model."""
        return self.acquisition != RANDOM


def as_learnt(policy: Policy, values: "Floats") -> "Floats":
    """Return values that are searched for, shape (n,), as its model learns them."""
    if not model_class(policy.model).draws_in:
        return values
    from molloop.surrogate.lessons import drawn_in

    return drawn_in(values)


def best_as_learnt(policy: Policy, values: "Floats", best: float) -> float:
    """Return the best of n >= 1 values, shape (n,), that counts, as its model learns it."""
    return float(as_learnt(policy, values)[abs(values - best).argmin()])


def fitted(
    policy: Policy,
    points: "Features",
    values: "Floats",
    rng: "np.random.Generator",
    *,
    are_sought: bool = True,
) -> "Surrogate":
    """Return its model, fitted to n >= 1 values, shape (n,), and their features, (n, width).

    Parameters
    ----------
    are_sought
        Whether large values are searched for: then a value far above all others may count as less,
        see ``molloop.surrogate.lessons.drawn_in``.

    Raises
    ------
    InputError
        The features say that they stand in other groups than there are numbers.
    """
    model = model_class(policy.model)
    values = as_learnt(policy, values) if are_sought else values
    groups = features.feature_kind(policy.features).groups
    if not groups or not model.weighs_groups():
        return model.fit(points, values, rng)
    if min(groups) < 1 or sum(groups) != points.shape[1]:
        expected = f"features whose groups have {points.shape[1]} numbers in all"
        raise InputError(features.SETTING, policy.features, expected, f"They are {groups}.")
    return model.fit_groups(points, values, rng, groups)


def is_own(name: str) -> bool:
    """Whether a name is of molloop's own policies: no other code is executed for it."""
    return _split(name)[0] in MODELS.own


def is_name(name: str) -> bool:
    """Whether a policy has a name, as far as that is known without its code."""
    try:
        _parts(name)
    except KeyError:
        return False
    return True


def names() -> str:
    """Return which names there are, for users."""
    return (
        f"one of {', '.join(MODELS.listed())}, or a model of your own, package.module:Class; "
        f"behind each but {RANDOM} may stand -{', -'.join(SELECTABLE)}"
    )


def policy_named(name: str, learns_from: str | None = None) -> Policy:
    """Return a policy: its name names a model, and may end with an acquisition, as ``gp-ei``.

    The model's class is imported: it says which features it learns from, and which acquisition is
    meant where the name does not say it.

    Parameters
    ----------
    learns_from
        Other features than those; None: those. Chance looks at none.

    Raises
    ------
    InputError
        There is none, the class cannot be imported or is none of a model, or the model cannot learn
        from the features.
    """
    if not is_name(name):
        raise InputError(SETTING, name, names(), "`molloop config` explains them.")
    reference, acquisition = _parts(name)
    model = model_class(reference)
    if name == RANDOM:
        return Policy(reference, model.learns_from, model.acquisition, model.learns_failures)
    if model.acquisition not in SELECTABLE:
        expected = f"a class whose acquisition is one of {', '.join(SELECTABLE)}"
        raise InputError(SETTING, name, expected, f"It is {model.acquisition!r}.")
    if not features.is_name(model.learns_from):
        expected = f"a class whose learns_from is {features.names()}"
        raise InputError(SETTING, name, expected, f"It is {model.learns_from!r}.")
    if learns_from is not None:
        _check_alike(name, model.learns_from, learns_from)
    return Policy(
        reference,
        learns_from or model.learns_from,
        acquisition or model.acquisition,
        model.learns_failures,
    )


def _check_alike(name: str, own: str, other: str) -> None:
    """Raise InputError where a model that learns from some features cannot from others."""
    expected, given = (features.feature_kind(one).form for one in (own, other))
    if given != expected:
        raise InputError(
            features.SETTING,
            other,
            f"features that are {expected}, as {own}",
            f"The model {name} cannot learn from {given}: choose another by {SETTING}.",
        )


def _parts(name: str) -> tuple[str, str]:
    """Return where the model is, and the acquisition that a name ends with; KeyError: no policy."""
    model, acquisition = _split(name)
    return MODELS.reference(model), acquisition


def _split(name: str) -> tuple[str, str]:
    """Return the name of the model, and the acquisition behind it, if any."""
    model, _, acquisition = name.rpartition("-")
    return (model, acquisition) if acquisition in SELECTABLE and model != RANDOM else (name, "")

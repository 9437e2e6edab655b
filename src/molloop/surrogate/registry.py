"""The models, by the names of the policies that use them.

Light to import: the configuration reads the names. A model of molloop is a file of this folder and
a line here.
"""

from functools import cache
from typing import TYPE_CHECKING

from molloop.errors import InputError
from molloop.registry import Listed, Registry, import_named

if TYPE_CHECKING:
    from molloop.surrogate.model import Surrogate

SETTING = "search.policy"  # what names a model, for errors
RANDOM = "random"
MODELS = Registry(
    {
        "gp": Listed(
            "molloop.surrogate.gp:GaussianProcess",
            "a Gaussian process on descriptors, upper confidence bound",
        ),
        "ridge": Listed(
            "molloop.surrogate.ridge:Ridge", "linear regression on descriptors, greedy"
        ),
        "forest": Listed(
            "molloop.surrogate.forest:RandomForest",
            "a random forest on descriptors, upper confidence bound",
        ),
        "published": Listed(
            "molloop.surrogate.knn:KNearestNeighbors",
            "the tutorial's nearest neighbours on Morgan fingerprints, greedy",
        ),
        RANDOM: Listed("molloop.surrogate.no_model:NoModel", "random molecules, to compare with"),
    },
    group="molloop.models",
)


@cache
def model_class(reference: str) -> "type[Surrogate]":
    """Import the class of a model, ``package.module:Class``.

    Raises
    ------
    InputError
        It cannot be imported or is no class of a model.
    """
    from molloop.surrogate.model import Surrogate

    expected = "a model that can be imported, package.module:Class"
    found = import_named(reference, SETTING, expected)
    if not (isinstance(found, type) and issubclass(found, Surrogate)):
        base = f"{Surrogate.__module__}.{Surrogate.__name__}"
        raise InputError(
            SETTING, reference, f"a class that derives from {base}", f"It is {found!r}."
        )
    if missing := sorted(found.__abstractmethods__):
        raise InputError(
            SETTING,
            reference,
            "a model with fit and predict",
            f"Write {' and '.join(missing)}, as {Surrogate.__module__} says.",
        )
    return found

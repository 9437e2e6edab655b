"""How wrong the model is, on random molecules and on those that it chose itself."""

from collections.abc import Set
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from molloop.campaign.warm_start import stored_warm_start
from molloop.library.shards import Library
from molloop.report.accuracy import Accuracy
from molloop.report.found import Found
from molloop.search.policy import Policy, fitted

Floats = NDArray[np.float64]
F = TypeVar("F", bound=Found)
MOST_ONE_BY_ONE = 64
N_PARTS = 10
MIN_RANDOM = 3
RANDOM, CHOSEN, OTHERS = (
    "random molecules, each left out",
    "molecules that it chose",
    "other molecules of the table",
)


def with_accuracy(
    results: F, library: Library, policy: Policy, seed: int, values: Floats | None = None
) -> F:
    """Return results that also say how wrong the model is, where the policy goes by one.

    Parameters
    ----------
    seed
        Of whatever the model draws.
    values
        All of a known library's, by molecule id; None where they are not known.
    """
    if not policy.predicts:
        return results
    found = {
        RANDOM: on_random(results, library, policy, seed),
        CHOSEN: on_chosen(results),
        # of several stages, what a ranking goes by is no model of the last values alone
        OTHERS: None
        if values is None or results.protocols
        else on_others(results, library, policy, seed, values),
    }
    return replace(results, accuracy={key: one for key, one in found.items() if one is not None})


def on_random(results: Found, library: Library, policy: Policy, seed: int) -> Accuracy | None:
    """Return how well random molecules are predicted, each by a model of the others alone.

    Those known beforehand are always among the others. Only random molecules say how the model
    does on the library: those that it chose are chosen for what it believes of them. Of more than
    64, tenths are left out together; None where there are fewer than three.
    """
    items = {item.molecule_id for item in results.successes if item.batch == 0}
    if (n := len(items)) < MIN_RANDOM:
        return None
    rng = np.random.default_rng([seed, 0])
    features, values = _learned(results, library, policy, items)
    means, stds = np.empty(n), np.empty(n)
    for part in np.array_split(rng.permutation(n), n if n <= MOST_ONE_BY_ONE else N_PARTS):
        others = np.setdiff1d(np.arange(len(values)), part)
        model = fitted(policy, features[others], values[others], rng)
        means[part], stds[part] = model.predict(features[part])
    sign = results.objective.sign
    return Accuracy.of(sign * means, stds, sign * values[:n])


def on_chosen(results: Found) -> Accuracy | None:
    """Return how well molecules were predicted by the ranking that chose them."""
    means, stds, values = results.predictions.T
    if not len(values):
        return None
    return Accuracy.of(means, stds, values)


def on_others(
    results: Found, library: Library, policy: Policy, seed: int, values: Floats
) -> Accuracy | None:
    """Return how well a model of all that was found predicts the others of a known library.

    Parameters
    ----------
    values
        By molecule id, NaN where there is none, shape (n,).
    """
    known = {one.molecule_id for one in results.known if one.molecule_id is not None}
    learned = np.array([*results.values, *known], dtype=np.int64)
    others = np.flatnonzero(np.isfinite(values) & ~np.isin(np.arange(len(values)), learned))
    if len(learned) == 0 or len(others) == 0:
        return None
    sign = results.objective.sign
    features, learned_values = _learned(results, library, policy, set(results.values))
    model = fitted(policy, features, learned_values, np.random.default_rng([seed, 0]))
    means, stds = model.predict(library.features(policy.features, others.tolist()))
    return Accuracy.of(sign * means, stds, values[others])


def _learned(
    results: Found, library: Library, policy: Policy, molecule_ids: Set[int]
) -> tuple[NDArray[Any], Floats]:
    """Return features and values, times the sign: of some that were simulated, then all known."""
    found = {key: value for key, value in results.values.items() if key in molecule_ids}
    known = stored_warm_start(results.known, library)
    features = [library.features(policy.features, list(found)), known.features[policy.features]]
    values = [*found.values(), *(one.value for one in known.known)]
    return np.concatenate(features), results.objective.sign * np.array(values)

"""How wrong the model is, on random molecules and on those that it chose itself."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from molloop import surrogate
from molloop.campaign.records import Simulated
from molloop.library.shards import Library
from molloop.report.accuracy import Accuracy
from molloop.report.results import Results
from molloop.search.policy import Policy
from molloop.simulate.outcome import Success

Floats = NDArray[np.float64]
MOST_ONE_BY_ONE = 64
N_PARTS = 10
MIN_RANDOM = 3
RANDOM, CHOSEN, OTHERS = (
    "random molecules, each left out",
    "molecules that it chose",
    "all other molecules of the table",
)


def with_accuracy(
    results: Results, library: Library, policy: Policy, seed: int, values: Floats | None = None
) -> Results:
    """Return results that also say how wrong the model is.

    Parameters
    ----------
    seed
        Of whatever the model draws.
    values
        All of a known library's, by molecule id; None where they are not known.
    """
    found = {
        RANDOM: on_random(results, library, policy, seed),
        CHOSEN: on_chosen(results),
        OTHERS: None if values is None else on_others(results, library, policy, seed, values),
    }
    return replace(results, accuracy={key: one for key, one in found.items() if one is not None})


def on_random(results: Results, library: Library, policy: Policy, seed: int) -> Accuracy | None:
    """Return how well random molecules are predicted, each by a model of the others alone.

    Only these say how the model does on the library: those that it chose are chosen for what it
    believes of them. Of more than 64, tenths are left out together; None where there are fewer than
    three.
    """
    items = [item for item in _values(results) if item.batch == 0]
    if len(items) < MIN_RANDOM:
        return None
    rng = np.random.default_rng([seed, 0])
    sign = results.target.sign
    values = sign * np.array([results.values[item.molecule_id] for item in items])
    features = library.features(policy.features, [item.molecule_id for item in items])
    model = surrogate.MODELS[policy.model]
    means, stds = np.empty(len(items)), np.empty(len(items))
    n_parts = len(items) if len(items) <= MOST_ONE_BY_ONE else N_PARTS
    for part in np.array_split(rng.permutation(len(items)), n_parts):
        others = np.setdiff1d(np.arange(len(items)), part)
        fitted = model.fit(features[others], values[others], rng)
        means[part], stds[part] = fitted.predict(features[part])
    return Accuracy.of(sign * means, stds, sign * values)


def on_chosen(results: Results) -> Accuracy | None:
    """Return how well molecules were predicted by the ranking that chose them."""
    predictions = {
        (ranking.batch, key): (mean, std)
        for ranking in results.rankings
        for key, mean, std in zip(ranking.molecule_ids, ranking.means, ranking.stds, strict=True)
    }
    rows = [
        (*predictions[item.batch, item.molecule_id], results.values[item.molecule_id])
        for item in _values(results)
        if (item.batch, item.molecule_id) in predictions
    ]
    if not rows:
        return None
    means, stds, values = np.array(rows).T
    return Accuracy.of(means, stds, values)


def on_others(
    results: Results, library: Library, policy: Policy, seed: int, values: Floats
) -> Accuracy | None:
    """Return how well a model of all that was found predicts the others of a known library.

    Parameters
    ----------
    values
        By molecule id, NaN where there is none, shape (n,).
    """
    found = results.values
    if not found:
        return None
    sign = results.target.sign
    rng = np.random.default_rng([seed, 0])
    others = np.flatnonzero(np.isfinite(values) & ~np.isin(np.arange(len(values)), list(found)))
    if len(others) == 0:
        return None
    model = surrogate.MODELS[policy.model].fit(
        library.features(policy.features, list(found)), sign * np.array(list(found.values())), rng
    )
    means, stds = model.predict(library.features(policy.features, others.tolist()))
    return Accuracy.of(sign * means, stds, values[others])


def _values(results: Results) -> Sequence[Simulated]:
    return [item for item in results.simulated if isinstance(item.outcome, Success)]

"""What a model learns from known values, where it may not take all as they are."""

import numpy as np
from numpy.typing import NDArray

from molloop.surrogate.model import Floats

MAX_GAP = 1.0  # in standard deviations of the values: docs/benchmarks/search.md
FAR = 3.0  # deviations from the median beyond which a value widens the standard deviation no more
OF_NORMAL = 1.4826  # a normal distribution's standard deviation over its median absolute one


def drawn_in(values: Floats) -> Floats:
    """Return values, shape (n,), of which none above the median is far above the next lower one.

    Gaps there are one standard deviation at most, and the order stays. A Gaussian process squares
    errors: a single value far above all others bends it, and misleads the search for the next best.
    To draw in the extremes of a sample is what Tukey calls Winsorizing, Ann. Math. Stat. 33, 1
    (1962), doi:10.1214/aoms/1177704711. However far such a value is, the standard deviation hardly
    grows with it: it takes what is more than three robust ones above the median for just these.
    """
    order = np.argsort(values, kind="stable")[len(values) // 2 :]
    too_far = np.maximum(np.diff(values[order]) - MAX_GAP * _spread(values), 0.0)
    found = values.copy()
    found[order[1:]] -= np.cumsum(too_far)
    return found


def _spread(values: Floats) -> float:
    middle = np.median(values)
    robust = OF_NORMAL * np.median(np.abs(values - middle))
    # half of the values or more are the same where it is 0
    near = np.minimum(values, middle + FAR * robust) if robust > 0 else values
    return float(near.std())


def worth_learning(values: Floats, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return n rows: those of the largest values, and as many random others."""
    order = np.argsort(-values, kind="stable")
    others = rng.choice(order[n // 2 :], n - n // 2, replace=False)
    return np.sort(np.concatenate([order[: n // 2], others]))

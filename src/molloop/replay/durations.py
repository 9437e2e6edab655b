"""How long simulations take in a replay: a distribution by name."""

from collections.abc import Callable

import numpy as np

from molloop.errors import InputError
from molloop.intervals import Floats

FORMS = "constant:SECONDS, uniform:LEAST,MOST, exponential:MEAN or lognormal:MEDIAN,SIGMA"
_DISTRIBUTIONS: dict[str, tuple[int, Callable[..., Floats]]] = {
    "constant": (1, lambda _rng, n, seconds: np.full(n, seconds)),
    "uniform": (2, lambda rng, n, least, most: rng.uniform(least, most, n)),
    "exponential": (1, lambda rng, n, mean: rng.exponential(mean, n)),
    "lognormal": (2, lambda rng, n, median, sigma: rng.lognormal(np.log(median), sigma, n)),
}


def is_distribution(text: str) -> bool:
    """Whether a text names a distribution, and not a column."""
    return text.partition(":")[0] in _DISTRIBUTIONS and ":" in text


def draw_durations(text: str, n: int, rng: np.random.Generator) -> Floats:
    """Draw seconds for n molecules from a distribution such as ``lognormal:10,0.5``.

    Raises
    ------
    InputError
        It is no distribution, or its numbers make no durations.
    """
    name, _, numbers = text.partition(":")
    n_numbers, function = _DISTRIBUTIONS.get(name, (0, None))
    try:
        values = [float(word) for word in numbers.split(",")]
    except ValueError:
        values = []
    is_sound = len(values) == n_numbers and all(np.isfinite(values)) and values[0] > 0
    if function is None or not is_sound or (n_numbers == 2 and values[1] < 0):
        raise _wrong(text)
    if name == "uniform" and values[1] < values[0]:
        raise _wrong(text)
    return function(rng, n, *values)


def _wrong(text: str) -> InputError:
    return InputError(
        "durations", text, f"a column of the table, or {FORMS}", "Seconds are above 0."
    )

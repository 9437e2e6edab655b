"""What every surrogate model offers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# such as fingerprints (n, n_bits / 8) in bytes, or standardised descriptors (n, d) in float32
Features = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Joint:
    """What a model believes of n molecules together.

    Attributes
    ----------
    mean, variance
        Of each, shape (n,).
    noise
        Variance of each simulated value around the true one, shape (n,).
    covariance
        Row number -> covariance of that molecule with all, shape (n,).
    """

    mean: Floats
    variance: Floats
    noise: Floats
    covariance: Callable[[int], Floats]


class Surrogate(ABC):
    """A fitted model: what a class of a model derives from.

    It has to bring `fit` and `predict`; the rest has defaults. Predicting changes nothing, and what
    is predicted for a molecule is the same bit for bit whatever is predicted beside it.

    A model travels to the workers as numbers: the arguments of its constructor, which it keeps in
    attributes of the same names, as the fields of a dataclass are. What is no number is made of
    them where it is needed.

    Attributes
    ----------
    learns_from
        Its features where the user names no others: a name as of ``search.features``.
    acquisition
        What turns its predictions into a score where the policy's name does not say it: ``greedy``,
        ``ucb`` or ``ei``.
    draws_in
        Whether values that are searched for are drawn in before it learns them; see
        ``molloop.surrogate.lessons.drawn_in``.
    learns_failures
        Whether a choice by it also goes by the chance of a value, which failures teach.
    """

    learns_from: ClassVar[str] = "descriptors"
    acquisition: ClassVar[str] = "greedy"
    draws_in: ClassVar[bool] = False
    learns_failures: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def fit(cls, features: Features, values: Floats, rng: np.random.Generator) -> Self:
        """Learn from n >= 1 values, shape (n,), and their features, shape (n, width).

        Large values are good. All that is random is drawn from `rng`.
        """

    @classmethod
    def weighs_groups(cls) -> bool:
        """Whether `fit_groups` is written, and no class derived from it has a `fit` of its own."""
        own = next(vars(one) for one in cls.__mro__ if {"fit", "fit_groups"} & vars(one).keys())
        return "fit_groups" in own

    @classmethod
    def fit_groups(
        cls,
        features: Features,
        values: Floats,
        rng: np.random.Generator,
        groups: Sequence[int],  # noqa: ARG003 - for classes that weigh them
    ) -> Self:
        """Learn from features that stand in groups, each of so many: width in all.

        Worth writing where groups can weigh differently; by default all features are alike.
        """
        return cls.fit(features, values, rng)

    @abstractmethod
    def predict(self, features: Features) -> tuple[Floats, Floats]:
        """Return mean and standard deviation, each of shape (m,), for features (m, width)."""

    def screen(self, features: Features) -> tuple[Floats, Floats]:
        """Return what mean and standard deviation can be at most, shapes (m,).

        Worth writing where such bounds are faster to be had than the predictions, which are taken
        otherwise.
        """
        return self.predict(features)

    def interval(self, features: Features) -> tuple[Floats, Floats, Floats]:
        """Return between which the mean lies, and what the deviation can be at most, shapes (m,).

        Worth writing where `screen` is.
        """
        mean, std = self.predict(features)
        return mean, mean, std

    def scatter(self, std: Floats) -> Floats:
        """Return the standard deviation of simulated values, where it predicts a deviation.

        Shapes (m,); it falls with no deviation. By default what is predicted is that of simulated
        values; worth writing where it is that of true ones, which leaves out their noise.
        """
        return std

    def joint(self, features: Features) -> Joint:
        """Return the prediction for m molecules together; by default, as if independent."""
        return independent(*self.predict(features))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that the model is made of, by the names of its constructor's arguments."""
        return {name: np.asarray(getattr(self, name)) for name in signature(type(self)).parameters}


def save(model: Surrogate, path: Path) -> None:
    """Write a model to a file that any worker can open; numbers and text only.

    Raises
    ------
    TypeError
        It is made of something else.
    """
    arrays = model.arrays()
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"{type(model).__name__}.{name} is no array of numbers or text")
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load(kind: type[Surrogate], path: Path) -> Surrogate:
    """Read a model of some class back."""
    with np.load(path, allow_pickle=False) as file:
        return kind(**{name: file[name][()] for name in file.files})


def check_shapes(points: Features, values: Floats) -> None:
    """Raise ValueError unless there are n >= 1 points with n values."""
    if points.ndim != 2 or values.shape != (len(points),) or len(points) == 0:
        raise ValueError(
            f"expected points (n, width) and values (n,) with n >= 1, "
            f"got {points.shape} and {values.shape}"
        )


def is_spread(values: Floats) -> bool:
    """Whether values differ by more than rounding."""
    return bool(np.ptp(values) > 1e-12 * np.abs(values).max())


def independent(mean: Floats, std: Floats) -> Joint:
    """Return the joint prediction of a model that knows of no covariance, shapes (n,)."""

    def covariance(row: int) -> Floats:
        column = np.zeros_like(std)
        column[row] = std[row] ** 2
        return column

    return Joint(mean, std**2, np.zeros_like(std), covariance)


def in_blocks(
    function: Callable[[Features], NDArray[Any]], features: Features, size: int
) -> NDArray[Any]:
    """Apply a function of (size, width) features that gives (k, size) numbers to n rows: (k, n).

    Every call has the same shape, rows of zeros make up the last: the linear algebra library then
    treats a row alike wherever it stands.
    """
    blocks = []
    for start in range(0, len(features), size):
        block = features[start : start + size]
        if len(block) < size:
            block = np.concatenate(
                [block, np.zeros((size - len(block), features.shape[1]), features.dtype)]
            )
        blocks.append(function(block))
    if not blocks:
        blocks = [function(np.zeros((size, features.shape[1]), features.dtype))]
    return np.concatenate(blocks, axis=1)[:, : len(features)]

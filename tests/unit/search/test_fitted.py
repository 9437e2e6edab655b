"""How a policy's model is fitted."""

import numpy as np
import pytest

from molloop.errors import InputError
from molloop.library.features import MoleculeDescriptors
from molloop.search.policy import fitted, policy_named

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(12, 89)).astype(np.float32)
VALUES = RNG.normal(size=12)


def test_the_descriptors_of_molloop_have_a_weight_of_their_own():
    model = fitted(policy_named("gp"), POINTS, VALUES, RNG)
    assert set(model.weights[:36].tolist()) == {1.0}
    [weight] = set(model.weights[36:].tolist())
    assert weight != 1


def test_groups_of_other_numbers_are_told(monkeypatch):
    monkeypatch.setattr(MoleculeDescriptors, "groups", (36, 40))
    with pytest.raises(InputError, match=r"groups have 89 numbers in all.*\(36, 40\)"):
        fitted(policy_named("gp"), POINTS, VALUES, RNG)
    fitted(policy_named("ridge"), POINTS, VALUES, RNG)

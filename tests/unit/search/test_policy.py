import pytest

from molloop.search.acquisition import ACQUISITIONS
from molloop.search.policy import POLICIES, SELECTABLE, policy_named
from molloop.surrogate import MODELS


def test_every_name_is_a_policy_of_known_parts():
    for name, policy in POLICIES.items():
        assert policy_named(name) is policy
        assert policy.model in MODELS
        assert policy.acquisition in ACQUISITIONS
        for acquisition in SELECTABLE if name != "random" else ():
            assert acquisition in ACQUISITIONS
            other = policy_named(f"{name}-{acquisition}")
            assert (other.model, other.features) == (policy.model, policy.features)
            assert other.acquisition == acquisition


@pytest.mark.parametrize("name", ["", "best", "gp-", "gp-random", "gp-ei-ei", "-ei", "random-ei"])
def test_other_names_are_none(name):
    with pytest.raises(KeyError):
        policy_named(name)

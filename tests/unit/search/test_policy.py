import pytest

from molloop.errors import InputError
from molloop.library.registry import FEATURES
from molloop.search.acquisition import ACQUISITIONS
from molloop.search.policy import SELECTABLE, is_name, is_own, policy_named
from molloop.surrogate.registry import MODELS, model_class

OWN = """\
from molloop.surrogate.model import Surrogate


class Mean(Surrogate):
    learns_from = "fingerprints"
    acquisition = "ei"

    def __init__(self, mean):
        self.mean = mean

    @classmethod
    def fit(cls, features, values, rng):
        return cls(values.mean())

    def predict(self, features):
        return 0.0 * features[:, 0] + self.mean, 0.0 * features[:, 0]


class Colours(Mean):
    learns_from = "colours"


class Daring(Mean):
    acquisition = "daring"


class Unready(Surrogate):
    @classmethod
    def fit(cls, features, values, rng):
        return cls()


class Other:
    pass


def function():
    pass
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return the name of a user's own module with models in it, the sound one called Mean."""
    name = f"own_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return name


@pytest.mark.parametrize("name", MODELS.own)
def test_every_name_is_a_policy_of_known_parts(name):
    policy = policy_named(name)
    assert is_own(name)
    assert policy.features in FEATURES.own
    assert policy.acquisition in ACQUISITIONS
    assert policy.predicts == (name != "random")
    for acquisition in SELECTABLE if name != "random" else ():
        other = policy_named(f"{name}-{acquisition}")
        assert is_own(f"{name}-{acquisition}")
        assert (other.model, other.features) == (policy.model, policy.features)
        assert other.acquisition == acquisition


@pytest.mark.parametrize(
    ("name", "features", "acquisition"),
    [
        ("published", "fingerprints", "greedy"),
        ("gp", "descriptors", "ucb"),
        ("ridge", "descriptors", "greedy"),
        ("forest", "descriptors", "ucb"),
        ("random", "fingerprints", "random"),
    ],
)
def test_what_each_policy_goes_by(name, features, acquisition):
    policy = policy_named(name)
    assert (policy.features, policy.acquisition) == (features, acquisition)


@pytest.mark.parametrize(
    "name",
    [
        *("", "best", "gp-", "gp-random", "gp-ei-ei", "-ei", "random-ei"),
        *("own:", ":Mean", "own:Mean:x", "own module:Mean", "own:Mean-best", "own.:Mean"),
    ],
)
def test_other_names_are_none(name):
    assert not is_name(name)
    assert not is_own(name)
    with pytest.raises(InputError, match=r"expected one of gp, ridge, .* package\.module:Class"):
        policy_named(name)


def test_a_model_of_ones_own_says_what_it_goes_by(module):
    name = f"{module}:Mean"
    assert is_name(name)
    assert not is_own(name)
    policy = policy_named(name)
    assert (policy.model, policy.features, policy.acquisition) == (name, "fingerprints", "ei")
    other = policy_named(f"{name}-ucb")
    assert (other.model, other.acquisition) == (name, "ucb")
    assert not is_own(f"{name}-ucb")


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ("Missing", "AttributeError.*Is its folder on PYTHONPATH"),
        ("Other", r"derives from molloop\.surrogate\.model\.Surrogate"),
        ("function", r"derives from molloop\.surrogate\.model\.Surrogate"),
        ("Unready", "Write predict"),
        ("Colours", "learns_from is one of descriptors, fingerprints, or .*It is 'colours'"),
        ("Daring", "acquisition is one of greedy, ucb, ei. It is 'daring'"),
    ],
)
def test_what_a_class_lacks_is_told(module, thing, told):
    with pytest.raises(InputError, match=rf"search\.policy: .*{thing}.*{told}") as caught:
        policy_named(f"{module}:{thing}")
    assert "\n" not in str(caught.value)


def test_a_module_that_is_not_there_is_told():
    with pytest.raises(InputError, match=r"ModuleNotFoundError.*Is its folder on PYTHONPATH"):
        model_class("no_such_module:Model")


def test_a_name_is_known_before_its_code_is_executed():
    assert is_name("no_such_module:Model")

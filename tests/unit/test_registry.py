import subprocess
import sys
from importlib.metadata import PathDistribution

import pytest

from molloop.errors import InputError
from molloop.registry import Listed, Registry, import_thing, is_reference
from molloop.search.policy import is_own, policy_named
from molloop.surrogate.registry import MODELS

OWN = {"one": Listed("package.one:One", "the first")}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package that adds a model, `theirs`, and one with a name of molloop's."""
    (tmp_path / "theirs.py").write_text("raise ImportError('executed')\n")
    folder = tmp_path / "their_package-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[molloop.models]\ntheirs = theirs:Model\ngp = theirs:Model\n"
    )
    assert PathDistribution(folder).name == "their-package"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(MODELS.__dict__, "_others", raising=False)
    yield
    MODELS.__dict__.pop("_others", None)


def test_names_of_molloop_and_references():
    registry = Registry(OWN, "molloop.nothing")
    assert registry.listed() == OWN
    assert registry.reference("one") == "package.one:One"
    assert registry.reference("mine:Model") == "mine:Model"
    with pytest.raises(KeyError):
        registry.reference("two")


def test_models_of_other_packages_are_known_and_not_executed(installed):
    listed = MODELS.listed()
    assert list(listed) == [*MODELS.own, "theirs"]
    assert listed["theirs"] == Listed("theirs:Model", "of the package their-package")
    assert MODELS.reference("gp") == "molloop.surrogate.gp:GaussianProcess"
    assert MODELS.reference("theirs") == "theirs:Model"
    assert not is_own("theirs-ei")
    with pytest.raises(InputError, match="ImportError: executed"):
        policy_named("theirs-ei")


def test_a_name_that_is_none_lists_them(installed):
    with pytest.raises(InputError, match="random, theirs, or a model of your own"):
        policy_named("best")


@pytest.mark.parametrize("text", ["a:B", "a.b_c.d:E", "a1:f"])
def test_references(text):
    assert is_reference(text)


@pytest.mark.parametrize("text", ["", ":", "a", "a:", ":B", "a:B:C", "a b:C", "../a:B", "a..b:C"])
def test_other_texts_are_no_references(text):
    assert not is_reference(text)


def test_a_thing_is_imported():
    assert import_thing("molloop.registry:Registry") is Registry


def test_other_packages_are_looked_up_only_where_a_name_is_none_of_molloops():
    code = (
        "import sys\n"
        "from molloop.config.load import load\n"
        "load(search={'policy': 'ridge-ei'}).to_toml()\n"
        "load(search={'policy': 'mine:Model'}).to_toml()\n"
        "from molloop.surrogate.registry import MODELS\n"
        "print('_others' in MODELS.__dict__, 'mine' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"

"""The Python interface, as far as nothing is run; `tests/integration` runs it."""

from pathlib import Path

import pytest

import molloop
from molloop.api import run_settings
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Session
from molloop.store.writer import Store


def test_settings_from_keywords():
    settings = molloop.load(
        library={"source": Path("a.smi")},
        campaign={"max_training_count": 50, "retrain_after": None},
        site={"directives": ["#PBS -q x"]},
    )
    assert settings.library.source == str(Path("a.smi").absolute())
    assert settings.campaign.max_training_count == 50
    assert settings.site.directives == ("#PBS -q x",)
    assert molloop.load() == molloop.Settings()


def test_keywords_and_assignments_come_after_the_file(tmp_path):
    (tmp_path / "a.toml").write_text(
        "[campaign]\nseed = 1\nbatch_size = 2\nmax_training_count = 30"
    )
    settings = molloop.load(
        str(tmp_path / "a.toml"), ["campaign.seed=3"], campaign={"batch_size": 5}
    )
    campaign = settings.campaign
    assert (campaign.seed, campaign.batch_size, campaign.max_training_count) == (3, 5, 30)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"campain": {}}, "campain.*Is campaign meant"),
        ({"campaign": {"batch": 3}}, "campaign.batch.*batch_size"),
        ({"campaign": {"batch_size": 0}}, "campaign.batch_size.*0"),
        ({"campaign": 3}, "campaign.*a dict of settings"),
    ],
)
def test_a_wrong_keyword_is_told_as_on_the_command_line(sections, words):
    with pytest.raises(molloop.InputError, match=words):
        molloop.load(**sections)


def test_one_file_or_several_build_a_library_that_says_what_it_is(tmp_path):
    (tmp_path / "<b>.smi").write_text("C\nCO\nbad\n")
    built = molloop.build_library(tmp_path / "<b>.smi", str(tmp_path / "library"), n_processes=1)
    again = molloop.build_library([str(tmp_path / "<b>.smi")], tmp_path / "library", n_processes=1)
    assert isinstance(again, molloop.Library)
    assert repr(again) == f"Library({str(built.folder)!r}): 2 molecules"
    opened = molloop.open_library(tmp_path / "library")
    assert opened.smiles(1) == "CO"
    text = opened._repr_html_()
    assert '<td style="text-align:left">2</td>' in text
    assert "&lt;b&gt;.smi" in text
    assert "<b>" not in text


def test_types_are_public():
    assert (molloop.Success, molloop.Failure) == (Success, Failure)
    assert molloop.Library.__name__ == "Library"
    assert molloop.Results.__name__ == "Results"


def test_results_of_no_run_are_told(tmp_path):
    with pytest.raises(molloop.InputError, match="a folder that holds a run"):
        molloop.read_results(str(tmp_path))


def test_a_run_that_would_execute_other_things_than_its_file_says_is_asked_about(tmp_path):
    hidden = molloop.load(site={"worker_init": "echo hidden"})
    Store.create(tmp_path / "campaign.sqlite", Session("now", hidden.to_toml(), {})).close()
    (tmp_path / "config.toml").write_text(molloop.load().to_toml())
    with pytest.raises(molloop.InputError, match=r"site\.worker_init = 'echo hidden'.*--trust"):
        molloop.resume(tmp_path)
    assert run_settings(tmp_path, trust=True).site.worker_init == "echo hidden"


def test_one_string_is_one_molecule():
    outcomes = list(molloop.simulate_molecules("O"))
    assert [one.value for one in outcomes] == [pytest.approx(18.294, abs=0.01)]

"""Site files: molloop's own, and those of users."""

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.assembly.site import site_of
from molloop.config import site_file
from molloop.config.load import load, parse, revise
from molloop.config.site_file import FOLDER, NAMES, SITES, SiteFacts, facts_of, read_site
from molloop.errors import InputError

PAGE = Path(__file__).parents[3] / "docs" / "sites" / "own.md"

OWN = """
summary = "our cluster"
scheduler = "slurm"
cores = 48
interface = "ib0"
directives = ["#SBATCH --constraint=rome"]
worker_init = "module load python"
needs = ["account"]
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(OWN)
    return path


def test_every_file_of_the_folder_is_listed():
    assert {path.stem for path in FOLDER.glob("*")} == set(NAMES) == set(SITES)
    assert SITES["polaris"].cores == 32


def test_a_file_says_what_is_fixed_and_the_rest_is_as_on_any_cluster_of_its_scheduler(own):
    facts = read_site(own)
    assert (facts.summary, facts.cores, facts.interface) == ("our cluster", 48, "ib0")
    assert facts.launcher_options == SITES["slurm"].launcher_options
    assert facts.launcher_options.startswith("--ntasks-per-node=1 --cpus-per-task=$SLURM_CPUS")
    assert facts.worker_start_timeout_s == 300


def test_a_file_without_a_scheduler_is_of_this_machine(own):
    own.write_text("cores = 6\n")
    facts = read_site(own)
    assert (facts.scheduler, facts.cores, facts.summary) == ("", 6, "this machine")
    assert facts.worker_start_timeout_s == 60


def test_what_a_user_sets_stands_above_the_file(own):
    directives = ["#SBATCH --constraint=milan", "#SBATCH --exclusive"]
    settings = load(site={"name": own, "workers": 40, "worker_init": "ulimit -s unlimited",
                          "directives": directives, "walltime": "2:00:30"})  # fmt: skip
    site = site_of(settings.site)
    assert (site.name, site.function, site.scheduler) == (str(own), "", "slurm")
    assert (site.workers, site.interface, site.needs) == (40, "ib0", ("account",))
    assert site.directives == tuple(directives)
    assert site.worker_init == "module load python\nulimit -s unlimited"
    assert (site.walltime_s, site.walltime) == (7230, "2:00:30")


def test_lines_of_another_scheduler_are_refused(own):
    for name, line, scheduler in (
        (str(own), "#PBS -q x", "slurm"),
        ("perlmutter", "#PBS -q x", "slurm"),
        ("polaris", "#SBATCH -q x", "pbs"),
    ):
        settings = load(site={"name": name, "directives": [line]})
        with pytest.raises(InputError, match=r"^site\.directives: ") as caught:
            site_of(settings.site)
        assert f"The scheduler of the site {name} is {scheduler}." in str(caught.value)
    # tried on this machine, the same configuration has none to read them
    assert site_of(load(site={"directives": ["#PBS -q x"]}).site).directives == ("#PBS -q x",)


def test_its_path_means_the_same_anywhere(own, monkeypatch):
    config = own.parent / "config.toml"
    config.write_text('[site]\nname = "ours.toml"\nworkers = 3\n')
    settings = load(config)
    assert settings.site.name == str(own)
    monkeypatch.chdir(own.parent)
    assert load(None, ["site.name=ours.toml"]).site.name == str(own)
    # the same site again: what was set for it stays
    assert revise(settings, ["site.name=ours.toml"]).site.workers == 3
    assert revise(settings, ["site.name=other.toml"]).site.workers is None


def test_a_stored_configuration_is_read_where_its_site_file_is_not(own):
    text = load(site={"name": own}).to_toml()
    own.unlink()
    settings = parse(text)
    assert settings.site.name == str(own)
    with pytest.raises(InputError, match=r"site file: got .*ours\.toml.* cannot be read"):
        site_of(settings.site)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("core = 3", "ours.toml: core: got 3, expected no such setting. Is cores meant?"),
        ("nonsense = 3", "docs/sites/own.md lists all settings."),
        ("cores = 0", "ours.toml: cores: got 0, expected greater than or equal to 1"),
        ("cores = '4'", "ours.toml: cores: got '4', expected a valid integer"),
        ("scheduler = 'lsf'", "ours.toml: scheduler: got 'lsf', expected '', 'slurm' or 'pbs'"),
        ("scheduler = ['slurm']", "ours.toml: scheduler"),
        ("needs = ['a']", "ours.toml: needs, item 1: got 'a', expected 'account' or 'queue'"),
        ("directives = ['module load x']", "expected lines that begin with #SBATCH or #PBS"),
        (
            "scheduler = 'slurm'\ndirectives = ['#PBS -q x']",
            "expected lines that begin with #SBATCH.",
        ),
        (
            "scheduler = 'pbs'\ndirectives = ['#PBS -q x', '#SBATCH -q x']",
            "expected lines that begin with #PBS.",
        ),
        ('select_options = "ngpus=4\\nrm"', "ours.toml: select_options: got 'ngpus=4\\nrm'"),
        ('bind_option = "--bind\\nrm"', "expected one line"),
        ("cores = ", "site file: got"),
        ("x = " + "[" * 9999, "site file: got"),
        ("# " + "x" * 100_000, "expected 100000 bytes at most"),
    ],
)
def test_a_file_that_is_wrong_is_told(own, text, words):
    own.write_text(f"{text}\n")
    with pytest.raises(InputError) as caught:
        read_site(own)
    assert words in str(caught.value)


def test_what_is_no_plain_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    for name in ("pipe.toml", "."):
        with pytest.raises(InputError, match="expected a plain file"):
            read_site(tmp_path / name)


def test_a_name_that_no_file_can_have_is_no_path():
    with pytest.raises(InputError, match=r"site\.name: .*expected one of local"):
        load(site={"name": "a\0.toml"})


def test_bytes_that_are_no_text_are_told(own):
    own.write_bytes(b"summary = '\xff'\n")
    with pytest.raises(InputError, match="cannot be read"):
        read_site(own)


@given(st.text(max_size=60))
def test_any_text_is_read_or_told(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "replace"))
    with suppress(InputError):
        assert isinstance(read_site(path), SiteFacts)


def test_a_function_of_one_s_own_has_no_facts():
    assert facts_of("mine:config") is site_file.OWN
    site = site_of(load(site={"name": "mine:config"}).site)
    assert (site.function, site.scheduler, site.worker_start_timeout_s) == ("mine:config", "", 300)


def test_the_page_names_every_setting_of_a_file():
    page = PAGE.read_text()
    assert [name for name in SiteFacts.model_fields if f"`{name}`" not in page] == []


@pytest.mark.parametrize(("workers", "cores"), [(None, 4), (2, 4), (4, 2), (99, 1)])
def test_workers_of_the_user_s_number_share_the_cores(monkeypatch, workers, cores):
    monkeypatch.setattr("molloop.assembly.site.available_cores", lambda: 8)
    settings = load(site={"workers": workers} if workers else {})
    assert site_of(settings.site, worker_cores=4).worker_cores == cores

import os
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from molloop.assembly import trust
from molloop.assembly.site import batch_job, site_of
from molloop.config.load import override, parse
from molloop.config.settings import SECTIONS, Settings
from molloop.config.site_file import SiteFacts
from molloop.errors import InputError
from molloop.execution.parsl_config import parsl_config
from molloop.store.records import Session
from molloop.store.writer import Store

OWN = Settings.model_validate(
    {
        "property": {"name": "x", "unit": "", "simulator": "mine:f"},
        "site": {"worker_init": "module load mine"},
    }
)


def run_dir(folder, by_file, by_database):
    Store.create(folder / "campaign.sqlite", Session("now", by_database, {})).close()
    if by_file is not None:
        (folder / "config.toml").write_text(by_file)
    return folder


@pytest.mark.parametrize("settings", [Settings(), OWN])
def test_what_agrees_and_is_ones_own_is_trusted(tmp_path, settings):
    text = settings.to_toml()
    trust.check_trust(run_dir(tmp_path, text, text), settings)


def test_other_settings_than_what_is_executed_may_differ(tmp_path):
    others = override(OWN, {"campaign.max_training_count": 99, "site.workers": 1})
    trust.check_trust(run_dir(tmp_path, others.to_toml(), OWN.to_toml()), OWN)


@pytest.mark.parametrize(
    "by_file", [Settings().to_toml(), None, "no TOML", "property = 3\n", "x = [" + "[" * 9999]
)
def test_what_would_be_executed_is_said_where_the_file_says_otherwise(tmp_path, by_file):
    folder = run_dir(tmp_path, by_file, OWN.to_toml())
    with pytest.raises(InputError) as caught:
        trust.check_trust(folder, OWN)
    told = str(caught.value)
    assert "property.simulator = 'mine:f', site.worker_init = 'module load mine'" in told
    is_read = by_file in (Settings().to_toml(), "property = 3\n")
    assert ("config.toml executes molloop's own code" in told) == is_read
    assert ("config.toml cannot be read" in told) == (not is_read)
    assert "add --trust" in told


def test_a_file_that_names_more_than_the_database_is_told_too(tmp_path):
    folder = run_dir(tmp_path, OWN.to_toml(), Settings().to_toml())
    with pytest.raises(InputError, match=r"config\.toml executes property\.simulator = 'mine:f'"):
        trust.check_trust(folder, Settings())


@pytest.mark.parametrize("policy", ["mine:Model", "mine:Model-ei", "theirs", "theirs-ucb"])
def test_a_model_that_is_not_molloops_is_code_that_a_run_executes(tmp_path, policy):
    text = Settings().to_toml().replace('policy = "gp"', f'policy = "{policy}"')
    stored = parse(text)
    assert trust.executed(stored.model_dump(mode="json")) == {"search.policy": policy}
    folder = run_dir(tmp_path, Settings().to_toml(), text)
    with pytest.raises(InputError, match=f"To go on executes search.policy = '{policy}'"):
        trust.check_trust(folder, stored)


def test_features_that_are_not_molloops_are_code_that_a_run_executes(tmp_path):
    text = Settings().to_toml().replace("# features =", 'features = "mine:bonds"')
    stored = parse(text)
    assert trust.executed(stored.model_dump(mode="json")) == {"search.features": "mine:bonds"}
    folder = run_dir(tmp_path, Settings().to_toml(), text)
    with pytest.raises(InputError, match=r"To go on executes search\.features = 'mine:bonds'"):
        trust.check_trust(folder, stored)
    named = override(Settings(), {"search.features": "descriptors"})
    assert trust.executed(named.model_dump(mode="json")) == {}


@pytest.mark.parametrize("policy", ["ridge", "ridge-ei", "random", "published-ucb"])
def test_molloops_own_models_are_not_asked_about(policy):
    named = override(Settings(), {"search.policy": policy})
    assert trust.executed(named.model_dump(mode="json")) == {}


def test_a_directory_of_another_user_is_asked_about(tmp_path, monkeypatch):
    text = Settings().to_toml()
    folder = run_dir(tmp_path, text, text)
    mine = os.geteuid()
    monkeypatch.setattr(trust.os, "geteuid", lambda: mine + 1)
    with pytest.raises(InputError, match=f"belongs to user {mine}.*molloop's own code"):
        trust.check_trust(folder, Settings())


def reached(settings, folder):
    """Return all texts that Parsl's commands and a batch script are made of."""
    [executor] = parsl_config(site_of(settings.site), folder).executors
    made_of = (executor, executor.provider, getattr(executor.provider, "launcher", None))
    found = [str(value) for one in made_of for value in getattr(one, "__dict__", {}).values()]
    if site_of(settings.site).scheduler:
        found.append(batch_job(settings, folder).script)
    return "\n".join(found)


@pytest.mark.parametrize("site", ["local", "slurm", "pbs"])
@pytest.mark.parametrize("mark", ["mark$(false)", "list:0$(false)", "#PBS mark$(false)"])
def test_what_reaches_a_shell_is_validated_or_asked_about(tmp_path, site, mark):
    begun = {"site": {"name": site, "workers": 1}}
    plain = reached(Settings.model_validate(begun), tmp_path)
    n_reached = 0
    for section, schema in SECTIONS.items():
        for name in schema.model_fields:
            key = f"{section}.{name}"
            value = [mark] if name == "directives" else mark
            with suppress(InputError):
                changed = override(Settings.model_validate(begun), {key: value})
                if key == "site.name":
                    continue  # a function, which is imported
                if reached(changed, tmp_path).count("$(false)") > plain.count("$(false)"):
                    assert key in trust.executed(changed.model_dump(mode="json")), key
                    n_reached += 1
    assert n_reached >= (1 if site == "local" else 2)  # worker_init, launcher_options


def test_a_part_of_a_directory_that_is_another_users_is_asked_about_too(tmp_path, monkeypatch):
    text = Settings().to_toml()
    folder = run_dir(tmp_path, text, text)
    (folder / "parsl").mkdir()
    lstat = Path.lstat
    other = SimpleNamespace(st_uid=os.geteuid() + 7, st_mode=0o40700)
    monkeypatch.setattr(Path, "lstat", lambda path: other if path.name == "parsl" else lstat(path))
    with pytest.raises(InputError, match=f"belongs to user {os.geteuid() + 7}"):
        trust.check_trust(folder, Settings())


SITE = """
scheduler = "slurm"
cores = 4
interface = "lo"
worker_init = "module load mine"
directives = ["#SBATCH --constraint=mine"]
"""


@pytest.fixture
def site_file(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(SITE)
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def test_what_a_site_file_has_executed_is_shown_and_trusted_where_both_name_it(site_file, folder):
    settings = Settings.model_validate({"site": {"name": str(site_file)}})
    text = settings.to_toml()
    trust.check_trust(run_dir(folder, text, text), settings)
    assert trust.executed(settings.model_dump(mode="json")) == {
        "site.name": str(site_file),
        f"worker_init of {site_file}": "module load mine",
        f"directives of {site_file}": ("#SBATCH --constraint=mine",),
    }


def test_a_site_file_that_only_the_database_names_is_asked_about_with_its_lines(site_file, folder):
    settings = Settings.model_validate({"site": {"name": str(site_file)}})
    run_dir(folder, Settings().to_toml(), settings.to_toml())
    with pytest.raises(InputError, match=r"worker_init of .*ours\.toml = 'module load mine'"):
        trust.check_trust(folder, settings)


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_site_file_that_came_with_the_run_is_asked_about(site_file, folder, is_linked, tmp_path):
    inside = site_file.rename(folder / "ours.toml")
    named = inside
    if is_linked:
        named = tmp_path / "link.toml"
        named.symlink_to(inside)
    settings = Settings.model_validate({"site": {"name": str(named)}})
    text = settings.to_toml()
    with pytest.raises(InputError, match=rf"its site file {named} lies in it\..*module load mine"):
        trust.check_trust(run_dir(folder, text, text), settings)


def test_a_site_file_by_a_path_from_here_is_found_in_the_run_too(site_file, folder, monkeypatch):
    site_file.rename(folder / "ours.toml")
    monkeypatch.chdir(folder.parent)
    settings = Settings.model_validate({"site": {"name": "run/ours.toml"}})  # as no run stores it
    text = settings.to_toml()
    with pytest.raises(InputError, match=r"its site file run/ours\.toml lies in it"):
        trust.check_trust(run_dir(folder, text, text), settings)


def test_a_site_file_that_is_gone_executes_nothing(tmp_path):
    values = {"site": {"name": str(tmp_path / "none.toml")}}
    assert list(trust.executed(values)) == ["site.name"]
    with pytest.raises(InputError, match="cannot be read"):
        site_of(Settings.model_validate(values).site)


@pytest.mark.parametrize(
    ("scheduler", "expected"),
    [
        ("", {"worker_init"}),
        ("slurm", {"worker_init", "directives", "launcher_options"}),
        (
            "pbs",
            {"worker_init", "directives", "launcher_options", "select_options", "bind_option"},
        ),
    ],
)
def test_what_of_a_site_file_reaches_a_shell_is_shown(tmp_path, scheduler, expected):
    path = tmp_path / "ours.toml"
    plain = f'scheduler = "{scheduler}"\n'
    mark = "#SBATCH" if scheduler == "slurm" else "#PBS"
    settings = Settings.model_validate({"site": {"name": str(path), "workers": 1}})
    path.write_text(plain)
    before = reached(settings, tmp_path).count("$(false)")
    found = set()
    for name in SiteFacts.model_fields:
        value = f'"#{scheduler} $(false)"'
        if name == "directives":
            value = f'["{mark} $(false)"]'
        elif name == "needs":
            value = f"[{value}]"
        path.write_text(f"{plain if name != 'scheduler' else ''}{name} = {value}\n")
        with suppress(InputError):  # what is validated
            if reached(settings, tmp_path).count("$(false)") > before:
                assert f"{name} of {path}" in trust.executed(settings.model_dump(mode="json"))
                found.add(name)
    assert found == expected

import os
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from molloop.assembly import trust
from molloop.config.load import override, parse
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.execution.sites import parsl_config
from molloop.execution.submit import batch_job
from molloop.store.records import Session
from molloop.store.store import Store

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
    [executor] = parsl_config(settings.site, folder).executors
    made_of = (executor, executor.provider, getattr(executor.provider, "launcher", None))
    found = [str(value) for one in made_of for value in getattr(one, "__dict__", {}).values()]
    if settings.site.name in ("slurm", "pbs"):
        found.append(batch_job(settings, folder, "campaign.sqlite").script)
    return "\n".join(found)


@pytest.mark.parametrize("site", ["local", "slurm", "pbs"])
@pytest.mark.parametrize("mark", ["mark$(false)", "list:0$(false)", "#PBS mark$(false)"])
def test_what_reaches_a_shell_is_validated_or_asked_about(tmp_path, site, mark):
    begun = {"site": {"name": site, "workers": 1}}
    plain = reached(Settings.model_validate(begun), tmp_path)
    n_reached = 0
    for section, field in Settings.model_fields.items():
        for name in field.annotation.model_fields:
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

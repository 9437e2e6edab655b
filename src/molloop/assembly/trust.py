"""What of a run's configuration is executed, and whether its user wants that.

A run directory may come from somebody else. To look at it runs nothing of it; to go on with it runs
the simulator, the model, the features and the shell lines that its database names, and those of the
site file that it names.
"""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from molloop.config.settings import Settings
from molloop.config.site_file import BASES, SITES, is_site_file, read_site
from molloop.errors import InputError
from molloop.library import registry as features
from molloop.search import policy
from molloop.store.run_dir import CONFIG, find_run

# names of which some are molloop's own
NAMED = {"search.policy": policy.is_own, features.SETTING: features.is_own}
EXECUTED = (
    "property.simulator",
    *NAMED,
    "site.name",
    "site.worker_init",
    "site.directives",
    "site.launcher_options",
)
# of a site file
EXECUTED_OF_SITES = (
    "worker_init",
    "directives",
    "launcher_options",
    "select_options",
    "bind_option",
)
MAX_CONFIG_BYTES = 10**6


def check_trust(run_dir: Path, stored: Settings) -> None:
    """Look whether a run directory is the user's own, and says the same in both of its places.

    Parameters
    ----------
    stored
        The configuration in the run's database, by which the run goes on.

    Raises
    ------
    InputError
        It belongs to somebody else, its config.toml names other things to execute, or its site
        file came with it; what would be executed.
    """
    by_database = executed(stored.model_dump(mode="json"))
    find_run(run_dir)  # whose files are plain ones
    by_file = _executed_by_file(run_dir / CONFIG)
    why = []
    owners = {path.lstat().st_uid for path in (run_dir, *run_dir.iterdir())}
    if strangers := sorted(owners - {os.geteuid()}):
        why.append(f"it belongs to user {', '.join(map(str, strangers))}")
    if (by_file or {}) != by_database:
        told = "cannot be read" if by_file is None else f"executes {words(by_file)}"
        why.append(f"its {CONFIG} {told}")
    site = stored.site.name
    if is_site_file(site) and Path(site).resolve().is_relative_to(run_dir.resolve()):
        why.append(f"its site file {site} lies in it")
    if why:
        raise InputError(
            "run directory",
            str(run_dir),
            "one of your own, whose database and config.toml execute the same",
            f"But {' and '.join(why)}. To go on executes {words(by_database)}, by its database. "
            "If you trust it, add --trust.",
        )


def executed(values: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that name code or shell lines, where they are not molloop's own.

    Of a site file, what it says now: a run that goes on reads it anew.
    """
    defaults = Settings().model_dump(mode="json")
    found = {}
    for key in EXECUTED:
        section, _, name = key.partition(".")
        table = values.get(section)
        value = table.get(name) if isinstance(table, dict) else None
        if value is None or value == defaults[section][name]:
            continue
        if key in NAMED and isinstance(value, str) and NAMED[key](value):
            continue
        found[key] = value
    return found | _executed_by_site(found.get("site.name"))


def _executed_by_site(name: object) -> dict[str, Any]:
    """Return the same of a site file; nothing where it cannot be read, as no run takes it then."""
    if not isinstance(name, str) or not is_site_file(name):
        return {}
    try:
        facts = read_site(Path(name))
    except InputError:
        return {}
    base = SITES[BASES[facts.scheduler]]
    return {
        f"{key} of {name}": value
        for key in EXECUTED_OF_SITES
        if (value := getattr(facts, key)) != getattr(base, key)
    }


def _executed_by_file(path: Path) -> dict[str, Any] | None:
    """Return the same of a file; None where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size <= MAX_CONFIG_BYTES:
            return executed(tomllib.loads(path.read_text(encoding="utf-8")))
    return None


def words(found: dict[str, Any]) -> str:
    """Return such settings as a message shows them."""
    return ", ".join(f"{key} = {value!r}" for key, value in found.items()) or "molloop's own code"

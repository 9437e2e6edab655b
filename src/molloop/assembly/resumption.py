"""What another process that goes on with a campaign does otherwise, and what it may not."""

from typing import Any

from molloop.config.goal import CONSTRAINTS, OBJECTIVES
from molloop.config.load import differences, parse
from molloop.config.plain import setting_text
from molloop.config.settings import LISTS, STAGES, Settings
from molloop.errors import InputError, RunError
from molloop.simulate.versions import OF_SOME_LEVELS, PROGRAMS
from molloop.store.records import Session

# what these decide cannot be compared, or not be told apart, within one run
FIXED = {
    "property.name",
    "property.unit",
    "property.direction",
    "property.simulator",
    "simulation.level",
    "simulation.fidelity",
    "simulation.start_geometry",
    "simulation.n_conformers",
    "simulation.max_atoms",
    "simulation.quantities",
    "simulation.solvent",
    "simulation.reference",
    "simulation.multiplicity",
    "simulation.options",
    "campaign.seed",
    "campaign.training_data",
    "campaign.training_column",
    "campaign.training_smiles_column",
    "campaign.training_separator",
    "campaign.training_no_header",
    "campaign.training_level",
}
# what may change of a table of a list
FREE_OF = {
    STAGES: {"max_count", "share", "timeout_s", "memory_limit_gib", "cores"},
    OBJECTIVES: {"threshold"},
    CONSTRAINTS: {"low", "high"},
}
VALUE_PACKAGES = (*PROGRAMS, *OF_SOME_LEVELS, "ase", "numpy", "scipy")


def check_resumption(
    before: Session, settings: Settings, environment: dict[str, Any]
) -> tuple[str, ...]:
    """Return what has changed since a campaign's last process, in words.

    Raises
    ------
    InputError
        The new values could not be compared with those that are there.
    RunError
        The database does not say what they are.
    """
    changes = []
    for name, (old, new) in differences(parse(before.config), settings).items():
        section, _, setting = name.rpartition(".")
        of_list = section.partition(".")[0]
        is_fixed = of_list in LISTS and setting not in FREE_OF[of_list]
        if name in FIXED or name in LISTS or is_fixed:
            shown = new if new is None or isinstance(new, str | float) else setting_text(new)
            before_it = repr(old) if isinstance(old, str) else setting_text(old)
            raise InputError(name, shown, f"{before_it}, this run's", _NEW_RUN)
        changes.append(f"{name}: {setting_text(old)} -> {setting_text(new)}")
    then, now = before.environment, environment
    if "key" not in then.get("library", {}) or "simulator" not in then:
        raise RunError(
            "The run's database does not say which library and simulator it has begun with.",
            "It is damaged, or was not written by molloop: begin a new run, which takes known "
            "values as campaign.training_data.",
        )
    if then["library"]["key"] != now["library"]["key"]:
        raise InputError(
            "library.source",
            now["library"]["folder"],
            f"the library of this run, which was {then['library'].get('name', 'another')}",
            "Its molecules are other ones, or in another order: give the old one, or begin a new "
            "run.",
        )
    if then["simulator"] != now["simulator"]:
        raise InputError(
            "property.simulator",
            settings.property.simulator,
            f"the code that this run has begun with{_release(then['simulator'])}",
            f"It was changed since{_release(now['simulator'])}. {_NEW_RUN}",
        )
    for name in VALUE_PACKAGES:
        old, new = then.get("packages", {}).get(name), now["packages"].get(name)
        if old != new:
            changes.append(f"version of {name}: {old or 'none'} -> {new or 'none'}")
    return tuple(changes)


def _release(simulator: object) -> str:
    """Return which release of a package a simulator is from, as more words."""
    if isinstance(simulator, dict) and simulator.get("package"):
        return f", {simulator['package']} {simulator.get('version', '')}"
    return ""


_NEW_RUN = (
    "Values would be mixed that cannot be compared: change it back, or begin a new run, which "
    "takes known values as campaign.training_data."
)

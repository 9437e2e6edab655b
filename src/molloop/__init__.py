"""molloop finds the molecules of a library that have the largest ionization energy."""

from importlib import import_module, metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molloop.api import (
        build_library,
        enumerate_library,
        export_run,
        open_library,
        predict,
        read_results,
        resume,
        run,
        simulate_molecules,
        suggest,
        write_report,
    )
    from molloop.assembly.beside import Baseline
    from molloop.assembly.predictions import Predictions
    from molloop.assembly.replays import (
        Replayed,
        compare_policies,
        replay_table,
        tune_settings,
    )
    from molloop.assembly.suggest import Suggestion, Suggestions
    from molloop.assembly.tables import open_known
    from molloop.campaign.ending import Interruption
    from molloop.campaign.engine import Task, Work
    from molloop.campaign.events import (
        Began,
        End,
        Finished,
        Lost,
        Ranked,
        RankingBegan,
        Resumed,
        Source,
        Stopped,
        Submitted,
    )
    from molloop.campaign.jobs import Job, Known, Simulated
    from molloop.campaign.promotions import Expected
    from molloop.config.campaign import CampaignSettings
    from molloop.config.conditions import ConditionsSettings, RangeSettings
    from molloop.config.goal import ConstraintSettings, ObjectiveSettings
    from molloop.config.library import LibrarySettings
    from molloop.config.load import load
    from molloop.config.property import PropertySettings
    from molloop.config.search import SearchSettings
    from molloop.config.settings import Settings
    from molloop.config.simulation import SimulationSettings
    from molloop.config.site import SiteSettings
    from molloop.config.stages import StageSettings
    from molloop.config.stopping import StoppingSettings
    from molloop.errors import InputError, MolloopError, RunError, SimulationError, StoreError
    from molloop.execution.virtual import Costs
    from molloop.goal import Constraint, Direction, Flagged, Goal, Objective, Quantity
    from molloop.intervals import Interval
    from molloop.library.conditions import Conditions, DescriptorRange
    from molloop.library.descriptors import descriptors
    from molloop.library.features import FeatureKind, MorganSpec
    from molloop.library.manifest import BuildSpec
    from molloop.library.selection import Selection
    from molloop.library.shards import Library
    from molloop.molecule import Geometry, Labels, Molecule
    from molloop.replay.campaign import Scenario
    from molloop.replay.compare import Comparison
    from molloop.replay.measures import Curves, Truth
    from molloop.replay.table import Table
    from molloop.replay.tune import Trial, Tuned
    from molloop.report.accuracy import Accuracy
    from molloop.report.ranking import TimedRanking
    from molloop.report.status import Status, read_status
    from molloop.results import Results
    from molloop.search.policy import Policy
    from molloop.simulate.options import Options
    from molloop.simulate.outcome import Calculation, Failure, Success
    from molloop.simulate.protocol import SimulationProtocol
    from molloop.simulate.resources import Resources
    from molloop.simulate.simulators import Simulator
    from molloop.store.records import Stage
    from molloop.store.searched import SearchedLibrary
    from molloop.surrogate.model import Joint, Surrogate, in_blocks

__version__ = metadata.version("molloop")

# what a signature needs is public, too
_PUBLIC = {
    "molloop.api": (
        "build_library enumerate_library export_run open_library predict read_results "
        "resume run simulate_molecules suggest write_report "
    ),
    "molloop.assembly.beside": "Baseline",
    "molloop.assembly.predictions": "Predictions",
    "molloop.assembly.replays": "Replayed compare_policies replay_table tune_settings",
    "molloop.assembly.suggest": "Suggestion Suggestions",
    "molloop.assembly.tables": "open_known",
    "molloop.campaign.ending": "Interruption",
    "molloop.campaign.engine": "Task Work",
    "molloop.campaign.events": (
        "Began End Finished Lost Ranked RankingBegan Resumed Source Stopped Submitted "
    ),
    "molloop.campaign.jobs": "Job Known Simulated",
    "molloop.campaign.promotions": "Expected",
    "molloop.config.campaign": "CampaignSettings",
    "molloop.config.conditions": "ConditionsSettings RangeSettings",
    "molloop.config.goal": "ConstraintSettings ObjectiveSettings",
    "molloop.config.library": "LibrarySettings",
    "molloop.config.load": "load",
    "molloop.config.property": "PropertySettings",
    "molloop.config.search": "SearchSettings",
    "molloop.config.settings": "Settings",
    "molloop.config.simulation": "SimulationSettings",
    "molloop.config.site": "SiteSettings",
    "molloop.config.stages": "StageSettings",
    "molloop.config.stopping": "StoppingSettings",
    "molloop.errors": "InputError MolloopError RunError SimulationError StoreError",
    "molloop.execution.virtual": "Costs",
    "molloop.goal": "Constraint Direction Flagged Goal Objective Quantity",
    "molloop.intervals": "Interval",
    "molloop.library.conditions": "Conditions DescriptorRange",
    "molloop.library.descriptors": "descriptors",
    "molloop.library.features": "FeatureKind MorganSpec",
    "molloop.library.manifest": "BuildSpec",
    "molloop.library.selection": "Selection",
    "molloop.library.shards": "Library",
    "molloop.molecule": "Geometry Labels Molecule",
    "molloop.replay.campaign": "Scenario",
    "molloop.replay.compare": "Comparison",
    "molloop.replay.measures": "Curves Truth",
    "molloop.replay.table": "Table",
    "molloop.replay.tune": "Trial Tuned",
    "molloop.report.accuracy": "Accuracy",
    "molloop.report.ranking": "TimedRanking",
    "molloop.report.status": "Status read_status",
    "molloop.results": "Results",
    "molloop.search.policy": "Policy",
    "molloop.simulate.outcome": "Calculation Failure Success",
    "molloop.simulate.protocol": "SimulationProtocol",
    "molloop.simulate.options": "Options",
    "molloop.simulate.resources": "Resources",
    "molloop.simulate.simulators": "Simulator",
    "molloop.store.records": "Stage",
    "molloop.store.searched": "SearchedLibrary",
    "molloop.surrogate.model": "Joint Surrogate in_blocks",
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names.split()}
__all__ = [
    "Accuracy",
    "Baseline",
    "Began",
    "BuildSpec",
    "Calculation",
    "CampaignSettings",
    "Comparison",
    "Conditions",
    "ConditionsSettings",
    "Constraint",
    "ConstraintSettings",
    "Costs",
    "Curves",
    "DescriptorRange",
    "Direction",
    "End",
    "Expected",
    "Failure",
    "FeatureKind",
    "Finished",
    "Flagged",
    "Geometry",
    "Goal",
    "InputError",
    "Interruption",
    "Interval",
    "Job",
    "Joint",
    "Known",
    "Labels",
    "Library",
    "LibrarySettings",
    "Lost",
    "Molecule",
    "MolloopError",
    "MorganSpec",
    "Objective",
    "ObjectiveSettings",
    "Options",
    "Policy",
    "Predictions",
    "PropertySettings",
    "Quantity",
    "RangeSettings",
    "Ranked",
    "RankingBegan",
    "Replayed",
    "Resources",
    "Results",
    "Resumed",
    "RunError",
    "Scenario",
    "SearchSettings",
    "SearchedLibrary",
    "Selection",
    "Settings",
    "Simulated",
    "SimulationError",
    "SimulationProtocol",
    "SimulationSettings",
    "Simulator",
    "SiteSettings",
    "Source",
    "Stage",
    "StageSettings",
    "Status",
    "Stopped",
    "StoppingSettings",
    "StoreError",
    "Submitted",
    "Success",
    "Suggestion",
    "Suggestions",
    "Surrogate",
    "Table",
    "Task",
    "TimedRanking",
    "Trial",
    "Truth",
    "Tuned",
    "Work",
    "build_library",
    "compare_policies",
    "descriptors",
    "enumerate_library",
    "export_run",
    "in_blocks",
    "load",
    "open_known",
    "open_library",
    "predict",
    "read_results",
    "read_status",
    "replay_table",
    "resume",
    "run",
    "simulate_molecules",
    "suggest",
    "tune_settings",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used: `import molloop` stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'molloop' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

"""The schedule that a configuration names, and what it spends on each stage."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.plan import Plan, Stopping
from molloop.campaign.schedule import Batch, Interleaved, Schedule
from molloop.campaign.stage_plan import StagePlan
from molloop.config.settings import Settings
from molloop.library.selection import Selection, bits_of
from molloop.simulate.protocol import SimulationProtocol


@dataclass(frozen=True)
class Course:
    """When what is done.

    Attributes
    ----------
    schedule
        Of the first stage.
    above
        What is spent on the stages above it; nothing where there is one stage.
    stopping
        What ends a run of several stages.
    """

    schedule: Schedule
    above: tuple[StagePlan, ...] = ()
    stopping: Stopping = field(default_factory=Stopping)


def make_course(
    settings: Settings,
    selection: Selection,
    n_workers: int,
    protocols: Sequence[SimulationProtocol],
    worker_cores: int = 1,
) -> Course:
    """Return when what is done for a configuration and some molecules of a library.

    Parameters
    ----------
    protocols
        Of each stage, how molecules are simulated.
    worker_cores
        Of each worker: of molecules that take fewer, it simulates some at the same time.
    """
    campaign, ends = settings.campaign, settings.stopping
    has_front = settings.goal().has_front
    stopping = Stopping(ends.top_k, ends.patience, ends.min_gain, has_front)
    counts = settings.max_counts()
    plan = Plan(
        InitialDesign(selection.n_molecules, campaign.seed, bits_of(selection)),
        Dispatch(n_workers, settings.site.group_size),
        campaign.initial_training_count,
        counts[0],
        campaign.batch_size,
        campaign.max_failure_share,
        # of several stages the last one ends the run
        Stopping(ends.top_k) if settings.stages else stopping,
    )
    dispatches = [
        replace(plan.dispatch, n_abreast=max(1, worker_cores // one.cores)) for one in protocols
    ]
    plan = replace(plan, dispatch=dispatches[0])
    above = tuple(
        StagePlan(protocol, replace(plan, max_training_count=count, dispatch=dispatch), stage.share)
        for protocol, count, dispatch, stage in zip(
            protocols[1:], counts[1:], dispatches[1:], settings.stages[1:], strict=True
        )
    )
    if campaign.schedule == "batch":
        return Course(Batch(plan), above, stopping)
    return Course(Interleaved(plan, campaign.retrain_after), above, stopping)

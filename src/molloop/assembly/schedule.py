"""The schedule that a configuration names."""

from molloop.campaign.design import InitialDesign
from molloop.campaign.dispatch import Dispatch
from molloop.campaign.plan import Plan, Stopping
from molloop.campaign.schedule import Batch, Interleaved, Schedule
from molloop.config.settings import Settings
from molloop.library.selection import Selection, bits_of


def make_schedule(settings: Settings, selection: Selection, n_workers: int) -> Schedule:
    """Return the schedule that a configuration names, for some molecules of a library."""
    campaign = settings.campaign
    plan = Plan(
        InitialDesign(selection.n_molecules, campaign.seed, bits_of(selection)),
        Dispatch(n_workers, settings.site.group_size),
        campaign.initial_training_count,
        campaign.max_training_count,
        campaign.batch_size,
        campaign.max_failure_share,
        Stopping(settings.stopping.top_k, settings.stopping.patience, settings.stopping.min_gain),
    )
    if campaign.schedule == "batch":
        return Batch(plan)
    return Interleaved(plan, campaign.retrain_after)

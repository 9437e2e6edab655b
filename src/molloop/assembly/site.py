"""A configuration's section `site` becomes the place where a run runs, and the job that runs it."""

from pathlib import Path
from typing import TYPE_CHECKING

from molloop.config.section import batch_lines
from molloop.config.settings import Settings
from molloop.config.site import SiteSettings, seconds_of
from molloop.config.site_file import OWN, SITES, facts_of
from molloop.errors import InputError
from molloop.execution.site import Site, directives_of
from molloop.limits import available_cores

if TYPE_CHECKING:
    from molloop.execution.submit import BatchJob


def site_of(settings: SiteSettings, worker_cores: int = 1, job_s: float = 0.0) -> Site:
    """Return what is fixed on the site that is named, and what the user has set.

    Parameters
    ----------
    worker_cores
        That a worker computes on.
    job_s
        How long a simulation is expected to take.

    Raises
    ------
    InputError
        The site is a file that cannot be used, or has a scheduler that does not read the lines
        that were set.
    """
    facts = facts_of(settings.name)
    _check_directives(settings, facts.scheduler)
    options = settings.launcher_options
    worker_init = (facts.worker_init, settings.worker_init)
    n_cores = facts.cores or (None if facts.scheduler else available_cores())
    if settings.workers and n_cores:  # as many as the user says: they may have fewer cores each
        worker_cores = min(worker_cores, max(1, n_cores // settings.workers))
    return Site(
        name=settings.name,
        function=settings.name if facts is OWN else "",
        scheduler=facts.scheduler,
        nodes=settings.nodes,
        blocks=settings.blocks,
        workers=settings.workers or (facts.cores and max(1, facts.cores // worker_cores)),
        worker_cores=worker_cores,
        threads=facts.threads,
        cpu_affinity=settings.cpu_affinity,
        walltime_s=seconds_of(settings.walltime),
        job_s=job_s,
        account=settings.account,
        queue=settings.queue,
        queue_option=facts.queue_option,
        directives=directives_of(facts.directives, settings.directives),
        select_options=facts.select_options,
        launcher_options=facts.launcher_options if options is None else options,
        bind_option=facts.bind_option,
        worker_init="\n".join(line for line in worker_init if line),
        interface=settings.interface or facts.interface,
        worker_start_timeout_s=settings.worker_start_timeout_s or facts.worker_start_timeout_s,
        queue_timeout_s=settings.queue_timeout_s,
        needs=facts.needs,
    )


def site_for(settings: Settings) -> Site:
    """Return the site of a configuration, with what its simulations take."""
    job_s = max(one.usual_s for one in settings.protocols())
    return site_of(settings.site, settings.worker_cores(), job_s)


def _check_directives(settings: SiteSettings, scheduler: str) -> None:
    if not scheduler:
        return  # the same configuration, tried without one
    try:
        batch_lines(settings.directives, scheduler)
    except ValueError as error:
        expected = str(error).removeprefix("expected ")
        remedy = f"The scheduler of the site {settings.name} is {scheduler}."
        raise InputError("site.directives", settings.directives, expected, remedy) from error


def batch_job(settings: Settings, folder: Path, *, is_trusted: bool = False) -> "BatchJob":
    """Return the job that begins a run, or goes on with the one that the folder holds.

    Parameters
    ----------
    folder
        The run directory.
    is_trusted
        Whether the job goes on with a run that may be somebody else's.

    Raises
    ------
    InputError
        The site has no scheduler, wants a setting that is missing, or the job is too short.
    """
    from molloop.execution import submit

    site = site_for(settings)
    if not site.scheduler:
        names = ", ".join(name for name, one in SITES.items() if one.scheduler)
        raise InputError("site.name", site.name, f"a site with a scheduler: {names}", "Name one.")
    changes = {f"site.{name}": value for name, value in settings.site.model_dump().items()}
    changes["campaign.max_training_count"] = settings.campaign.max_training_count
    changes["campaign.grace_s"] = settings.campaign.grace_s
    return submit.batch_job(
        site,
        folder,
        settings.to_toml(),
        changes,
        settings.campaign.grace_s,
        is_trusted=is_trusted,
    )

"""Runs: begun, and gone on with."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from molloop.api.libraries import open_library
from molloop.assembly.campaign import (
    Campaign,
    check_model,
    check_simulators,
    make_session,
    parsl_config,
    titled,
)
from molloop.assembly.conditions import conditions_of, select_for
from molloop.assembly.features import features_for, knowing
from molloop.assembly.reading import training_reading
from molloop.assembly.resumption import check_resumption
from molloop.assembly.trust import check_trust
from molloop.campaign.driver import Listener
from molloop.campaign.ending import Interruption
from molloop.campaign.warm_start import read_warm_start, stored_warm_start
from molloop.config.load import parse, revise
from molloop.config.settings import Settings
from molloop.files import AnyPath
from molloop.library.shards import Progress
from molloop.results import Results
from molloop.store.database import check_goes_on
from molloop.store.reader import Reader
from molloop.store.records import stage_of
from molloop.store.run_dir import RunDir, find_run
from molloop.store.writer import Store
from molloop.texts import counted


def new_run_dir() -> Path:
    """Return a name for a run directory that says when the run began."""
    return Path("runs") / datetime.now(UTC).astimezone().strftime("%Y-%m-%dT%H-%M-%S")


def run(
    settings: Settings,
    run_dir: AnyPath,
    listener: Listener | None = None,
    progress: Progress | None = None,
    interruption: Interruption | None = None,
) -> Results:
    """Run a campaign to its end.

    Parameters
    ----------
    settings
        The configuration.
    run_dir
        Takes the database, the configuration, tables and figures.
    listener
        Called with the time in seconds, each event once it is stored, and the outcome that a
        `Finished` tells of.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.
    interruption
        Ends the campaign early when it is given a reason; `resume` goes on with it.

    Raises
    ------
    InputError
        The configuration names what is not there, or the directory holds another run.
    RunError
        The run cannot go on; what was computed is stored, tables and figures are written.
    """
    run_dir = Path(run_dir)
    protocols = settings.protocols()
    check_model(settings)
    check_simulators(protocols)  # a library may take hours to build
    conditions_of(settings.conditions)  # says here what is wrong with one of them
    settings = titled(settings)
    library = features_for([settings.policy()], open_library(settings, progress), progress)
    library = knowing(settings, library, progress)
    selection, remarks = select_for(settings, library, progress)
    training_data = settings.campaign.training_data
    warm_start = read_warm_start(
        Path(training_data) if training_data else None,
        settings.campaign.training_column or settings.objective().quantity.column,
        protocols[0],
        library,
        settings.campaign.training_level,
        training_reading(settings),
        settings.goal().wider,
    )
    if warm_start.n_without:
        rows = counted(warm_start.n_without, "row")
        remarks = (*remarks, f"{rows} of {training_data} without a value: nothing is known of them")
    parsl_config(settings, run_dir)  # says what is wrong with the path before anything is written
    with closing(RunDir(run_dir)) as directory:
        session = make_session(settings, library)
        directory.write_config(session.config)
        with closing(
            Store.create(directory.store, session, warm_start.known, map(stage_of, protocols))
        ) as store:
            campaign = Campaign(
                settings, directory.path, store, library, warm_start, selection, remarks
            )
            return campaign.run(listener, interruption)


def resume(
    run_dir: AnyPath,
    assignments: Iterable[str] = (),
    listener: Listener | None = None,
    progress: Progress | None = None,
    interruption: Interruption | None = None,
    *,
    trust: bool = False,
    **sections: Mapping[str, Any],
) -> Results:
    """Go on with a campaign that was interrupted, crashed, failed or has reached its budget.

    Parameters
    ----------
    run_dir
        Of the run; its configuration is the one that was stored with it.
    assignments
        ``section.key=value``: what is otherwise from now on, such as the budget, workers, site.
    listener, progress, interruption
        As of :func:`run`.
    trust
        Whether what the run's database names is executed also where the directory belongs to
        another user, or its config.toml names other things.
    sections
        The same as `assignments`, as of :func:`molloop.load`:
        ``campaign={"max_training_count": 500}``.

    Raises
    ------
    InputError
        The directory holds no run or one of an earlier version, another process goes on with it,
        it is not to be trusted, or what has changed would mix values that cannot be compared.
    RunError
        As of :func:`run`.
    """
    run_dir = Path(run_dir)
    settings = run_settings(run_dir, assignments, sections, trust=trust)
    check_model(settings)
    check_simulators(settings.protocols())
    conditions_of(settings.conditions)
    library = features_for([settings.policy()], open_library(settings, progress), progress)
    library = knowing(settings, library, progress)
    selection, remarks = select_for(settings, library, progress)
    parsl_config(settings, run_dir)
    with (
        closing(RunDir(run_dir, is_new=False)) as directory,
        closing(Store.open(directory.store)) as store,
    ):
        session = make_session(settings, library)
        before = store.sessions()[-1]
        changes = check_resumption(before, settings, session.environment)
        then = parse(before.config)
        has_others = (then.conditions, then.constraints) != (
            settings.conditions,
            settings.constraints,
        )
        # a kill between the two leaves a file and a database that execute the same
        directory.write_config(session.config)
        store.add_session(session)
        warm_start = stored_warm_start(store.known(), library)
        campaign = Campaign(
            settings,
            directory.path,
            store,
            library,
            warm_start,
            selection,
            remarks,
            changes,
            ranks_anew=has_others,
        )
        return campaign.run(listener, interruption)


def run_settings(
    run_dir: AnyPath,
    assignments: Iterable[str] = (),
    sections: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    trust: bool = False,
) -> Settings:
    """Return the configuration by which a run goes on, with what is given, as of :func:`resume`.

    Raises
    ------
    InputError
        The directory holds no run, one of an earlier version, or is not to be trusted, or a
        setting is wrong.
    """
    folder = Path(run_dir)
    check_goes_on(path := find_run(folder))
    with closing(Reader.read(path)) as store:
        stored = parse(store.sessions()[-1].config)
    if not trust:
        check_trust(folder, stored)
    return revise(stored, assignments, sections)

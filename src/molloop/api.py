"""The Python interface: builds what a configuration names, and runs it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from molloop.assembly.campaign import (
    Campaign,
    check_simulator,
    cores,
    make_session,
    parsl_config,
)
from molloop.assembly.resumption import check_resumption
from molloop.assembly.trust import check_trust
from molloop.campaign.driver import Interruption, Listener
from molloop.campaign.warm_start import read_warm_start, stored_warm_start
from molloop.config.load import load, parse, revise
from molloop.config.settings import Settings
from molloop.library.enumeration import Enumeration
from molloop.library.ingest import Files, build, open_or_build
from molloop.library.manifest import BuildSpec
from molloop.library.shards import Library, Progress
from molloop.report import results
from molloop.report.results import Results
from molloop.simulate.outcome import Outcome
from molloop.store.run_dir import RunDir, find_run
from molloop.store.store import Store

AnyPath = str | os.PathLike[str]


def simulate_molecules(
    smiles: Iterable[str], settings: Settings | None = None
) -> Iterator[Outcome]:
    """Simulate molecules one after the other, in a child of this process.

    Parameters
    ----------
    smiles
        Each is simulated as it is given; one string is one molecule.
    settings
        Their sections `property` and `simulation` say how; the defaults otherwise.

    Yields
    ------
    One outcome each, in order: a success with its value in the property's unit, or a failure.
    Never raises for a molecule.

    Raises
    ------
    InputError
        The simulator cannot be imported.
    """
    from molloop.sandbox.worker import run_one
    from molloop.simulate.task import SimulationTask

    protocol = (settings or Settings()).protocol()
    check_simulator(protocol)
    texts = [smiles] if isinstance(smiles, str) else smiles
    task = SimulationTask(protocol)
    return (run_one(text, task) for text in texts)


def open_library(source: Settings | AnyPath, progress: Progress | None = None) -> Library:
    """Open a library; that of a file is built into the user's cache at its first use.

    Parameters
    ----------
    source
        A configuration, ``qm9``, the folder of a library or a file of SMILES.
    progress
        Called with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        It is missing, cannot be read or holds no molecule.
    RunError
        The cache cannot be written, or the library is damaged.
    """
    import platformdirs

    settings = source if isinstance(source, Settings) else load(library={"source": source})
    return open_or_build(
        settings.library.source,
        column=settings.library.column,
        cache_dir=platformdirs.user_cache_path("molloop") / "libraries",
        n_processes=cores(),
        progress=progress,
    )


def build_library(
    files: AnyPath | Sequence[AnyPath],
    folder: AnyPath,
    column: str = "smiles",
    spec: BuildSpec | None = None,
    n_processes: int | None = None,
    progress: Progress | None = None,
) -> Library:
    """Build a library from files of SMILES, go on with an unfinished build, or open a finished one.

    Parameters
    ----------
    files
        One or several, of the formats .smi, .csv, .tsv or .parquet, also with .gz or .zst behind.
    folder
        Takes the library.
    column
        Where a file that is no .smi holds the SMILES.
    spec
        Fingerprints and filters.
    n_processes
        That parse molecules; None: one a core.
    progress
        Called with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        A file, the column or a filter is wrong, or the folder holds something else.
    RunError
        The folder cannot be written.
    """
    paths = [files] if isinstance(files, str | os.PathLike) else files
    source = Files.of([os.fspath(one) for one in paths], column)
    return build(source, Path(folder), spec or BuildSpec(), n_processes or cores(), progress)


def enumerate_library(
    scaffolds: AnyPath,
    substituents: AnyPath,
    folder: AnyPath,
    max_molecules: int | None = None,
    column: str = "smiles",
    spec: BuildSpec | None = None,
    n_processes: int | None = None,
    progress: Progress | None = None,
) -> Library:
    """Build a library of every scaffold with every substituent at every attachment point.

    Parameters
    ----------
    scaffolds, substituents
        Files of SMILES with attachment points ``*`` or ``[*:1]``: any number in a scaffold, one in
        a substituent; ``*[H]`` leaves a point empty.
    max_molecules
        Take this many of the products, spread over all of them; None: all.
    folder, column, spec, n_processes, progress
        As of :func:`build_library`.

    Raises
    ------
    InputError, RunError
        As :func:`build_library`; a line is no scaffold or no substituent.
    """
    files = os.fspath(scaffolds), os.fspath(substituents)
    source = Enumeration.of(*files, column, max_molecules)
    return build(source, Path(folder), spec or BuildSpec(), n_processes or cores(), progress)


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
    library = open_library(settings, progress)
    training_data = settings.campaign.training_data
    protocol = settings.protocol()
    warm_start = read_warm_start(
        Path(training_data) if training_data else None,
        settings.target().column,
        protocol,
        library,
    )
    check_simulator(protocol)
    parsl_config(settings, run_dir)  # says what is wrong with the path before anything is written
    with closing(RunDir(run_dir)) as directory:
        session = make_session(settings, library)
        directory.write_config(session.config)
        with closing(Store.create(directory.store, session, warm_start.known)) as store:
            campaign = Campaign(settings, directory.path, store, library, warm_start)
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
        The directory holds no run, another process goes on with it, it is not to be trusted, or
        what has changed would mix values that cannot be compared.
    RunError
        As of :func:`run`.
    """
    run_dir = Path(run_dir)
    settings = run_settings(run_dir, assignments, sections, trust=trust)
    library = open_library(settings, progress)
    protocol = settings.protocol()
    check_simulator(protocol)
    parsl_config(settings, run_dir)
    with (
        closing(RunDir(run_dir, is_new=False)) as directory,
        closing(Store.open(directory.store)) as store,
    ):
        session = make_session(settings, library)
        changes = check_resumption(store.sessions()[-1], settings, session.environment)
        # a kill between the two leaves a file and a database that execute the same
        directory.write_config(session.config)
        store.add_session(session)
        warm_start = stored_warm_start(store.known(), library)
        campaign = Campaign(settings, directory.path, store, library, warm_start, changes)
        return campaign.run(listener, interruption)


def read_results(run_dir: AnyPath) -> Results:
    """Read what a run has found, while it goes on or afterwards.

    Raises
    ------
    InputError
        The directory holds no run.
    StoreError
        Its database cannot be read.
    """
    with closing(Store.read(find_run(Path(run_dir)))) as store:
        settings = parse(store.sessions()[-1].config)
        return results.read(store, settings.target(), settings.protocol())


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
        The directory holds no run or is not to be trusted, or a setting is wrong.
    """
    folder = Path(run_dir)
    with closing(Store.read(find_run(folder))) as store:
        stored = parse(store.sessions()[-1].config)
    if not trust:
        check_trust(folder, stored)
    return revise(stored, assignments, sections)

"""The Python interface: builds what a configuration names, and runs it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from molloop.campaign.design import InitialDesign
from molloop.campaign.driver import Driver, Listener
from molloop.campaign.run_dir import RunDir
from molloop.campaign.schedule import Batch, Schedule
from molloop.campaign.store import Store
from molloop.campaign.warm_start import WarmStart, read_warm_start
from molloop.config import Settings
from molloop.errors import InputError, RunError
from molloop.library.enumeration import Enumeration
from molloop.library.ingest import Files, build, open_or_build
from molloop.library.manifest import BuildSpec
from molloop.library.shards import Library, Progress
from molloop.report import results
from molloop.report.results import Results
from molloop.search.policy import POLICIES
from molloop.simulate.outcome import Outcome
from molloop.simulate.protocol import IONIZATION, SimulationProtocol

TRAINING_DATA = "training_data.csv"
BEST_MOLECULES = "best_molecules.csv"
FIGURE = "parsl_ml_in_the_loop.png"


def simulate_molecules(
    smiles: Iterable[str], settings: Settings | None = None
) -> Iterator[Outcome]:
    """Simulate molecules one after the other, in a child of this process.

    Parameters
    ----------
    smiles
        Each is simulated as it is given.
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
    from molloop.simulate.worker import simulate_one

    protocol = (settings or Settings()).protocol()
    _check_simulator(protocol)
    return (simulate_one(text, protocol) for text in smiles)


def _check_simulator(protocol: SimulationProtocol) -> None:
    from molloop.simulate.worker import check_simulator

    if protocol.simulator == IONIZATION:
        return
    if reason := check_simulator(protocol):
        raise InputError(
            "property.simulator",
            protocol.simulator,
            "a function that can be imported, package.module:function",
            f"Importing it fails: {reason}. Is its folder on PYTHONPATH?",
        )


def open_library(settings: Settings, progress: Progress | None = None) -> Library:
    """Open the library of a configuration; at its first use it is built into the user's cache.

    Raises
    ------
    InputError
        It is missing, cannot be read or holds no molecule.
    """
    import platformdirs

    return open_or_build(
        settings.library.source,
        column=settings.library.column,
        cache_dir=platformdirs.user_cache_path("molloop") / "libraries",
        n_processes=n_workers(settings),
        progress=progress,
    )


def build_library(
    files: Sequence[str],
    folder: Path,
    column: str = "smiles",
    spec: BuildSpec | None = None,
    n_processes: int | None = None,
    progress: Progress | None = None,
) -> Library:
    """Build a library from files of SMILES, go on with an unfinished build, or open a finished one.

    Parameters
    ----------
    files
        Of the formats .smi, .csv, .tsv or .parquet, also with .gz or .zst behind.
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
    return build(
        Files.of(files, column), folder, spec or BuildSpec(), n_processes or _cores(), progress
    )


def enumerate_library(
    scaffolds: str,
    substituents: str,
    folder: Path,
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
        Files of SMILES; see :class:`molloop.library.enumeration.Enumeration`.
    max_molecules
        Take this many of the products, spread over all of them; None: all.
    folder, column, spec, n_processes, progress
        As of :func:`build_library`.

    Raises
    ------
    InputError, RunError
        As :func:`build_library`; a line is no scaffold or no substituent.
    """
    source = Enumeration.of(scaffolds, substituents, column, max_molecules)
    return build(source, folder, spec or BuildSpec(), n_processes or _cores(), progress)


def _cores() -> int:
    from molloop.execution.sites import available_cores

    return available_cores()


def n_workers(settings: Settings) -> int:
    """Return how many workers a configuration asks for."""
    return settings.site.workers or _cores()


def new_run_dir() -> Path:
    """Return a name for a run directory that says when the run began."""
    return Path("runs") / datetime.now(UTC).astimezone().strftime("%Y-%m-%dT%H-%M-%S")


def run(
    settings: Settings,
    run_dir: Path,
    listener: Listener | None = None,
    progress: Progress | None = None,
) -> Results:
    """Run a campaign to its end.

    Parameters
    ----------
    settings
        The configuration.
    run_dir
        Takes the database, the configuration, tables and figure.
    listener
        Called with the time in seconds, each event once it is stored, and the outcome that a
        `Finished` tells of.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        The configuration names what is not there, or the directory holds another run.
    RunError
        The run cannot go on; what was computed is stored, tables and figure are written.
    """
    from molloop.execution.parsl_engine import ParslEngine
    from molloop.execution.sites import SITES

    library = open_library(settings, progress)
    training_data = settings.campaign.training_data
    target, protocol = settings.target(), settings.protocol()
    warm_start = read_warm_start(
        Path(training_data) if training_data else None, target.column, protocol, library
    )
    _check_simulator(protocol)
    parsl_config = SITES[settings.site.name](n_workers(settings), run_dir.absolute() / "parsl")
    with closing(RunDir(run_dir)) as directory:
        directory.describe(settings.to_toml(), library.describe())
        with closing(Store(directory.store, create=True)) as store:
            store.add_known(warm_start.known)
            try:
                with closing(
                    ParslEngine(
                        parsl_config,
                        n_workers(settings),
                        directory.path / "scratch",
                        settings.site.worker_start_timeout_s,
                    )
                ) as engine:
                    Driver(
                        engine,
                        store,
                        library,
                        _schedule(settings, library, warm_start),
                        POLICIES[settings.search.policy],
                        target,
                        protocol,
                        warm_start,
                        settings.campaign.seed,
                        listener or (lambda *_: None),
                    ).run()
            except BaseException:
                # what an ended run has found is written too, but may not hide why it ended
                with suppress(OSError, RunError):
                    write_reports(results.read(store, target, protocol), library, directory.path)
                raise
            found = results.read(store, target, protocol)
            write_reports(found, library, directory.path)
            if found.stopped is not None and not found.stopped.ok:
                raise RunError(_why(found.stopped.reason, store), _REMEDY)
            return found


_REMEDY = "Try some of the library's molecules with `molloop simulate`."


def write_reports(found: Results, library: Library, folder: Path) -> None:
    """Write the tables and the figure of a run."""
    from molloop.report import figures, tables

    tables.write_training_data(found, folder / TRAINING_DATA)
    tables.write_best_molecules(found, library.smiles, folder / BEST_MOLECULES)
    figures.write_loop_figure(found, folder / FIGURE)


def _schedule(settings: Settings, library: Library, warm_start: WarmStart) -> Schedule:
    campaign = settings.campaign
    known_ids = {item.molecule_id for item in warm_start.known if item.molecule_id is not None}
    design = InitialDesign(library.n_molecules, campaign.seed, known_ids)
    return Batch(
        design,
        campaign.initial_training_count,
        campaign.max_training_count,
        campaign.batch_size,
    )


def _why(reason: str, store: Store) -> str:
    failures = "; ".join(f"{n} x {kind}: {message}" for kind, message, n in store.failures())
    return f"The run stopped: {reason} ({failures})."

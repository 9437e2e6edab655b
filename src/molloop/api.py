"""The Python interface: builds what a configuration names, and runs it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molloop import results
from molloop.assembly.abreast import in_threads
from molloop.assembly.campaign import (
    Campaign,
    check_model,
    check_simulator,
    cores,
    make_session,
    parsl_config,
)
from molloop.assembly.measured import given_pending, given_values, read_measured, read_pending
from molloop.assembly.resumption import check_resumption
from molloop.assembly.suggest import Suggestions, suggestions
from molloop.assembly.trust import check_trust
from molloop.campaign.driver import Listener
from molloop.campaign.ending import Interruption
from molloop.campaign.warm_start import read_warm_start, stored_warm_start
from molloop.config.load import load, parse, revise
from molloop.config.settings import Settings
from molloop.errors import InputError, SimulationError
from molloop.library.enumeration import Enumeration
from molloop.library.ingest import build, open_or_build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.shards import Library, Progress
from molloop.results import Results
from molloop.simulate.outcome import Failure, Outcome
from molloop.store.reader import Reader
from molloop.store.records import stage_of
from molloop.store.run_dir import RunDir, find_run, is_own
from molloop.store.writer import Store
from molloop.texts import terminal_path

if TYPE_CHECKING:
    from ase import Atoms
    from rdkit.Chem import Mol

AnyPath = str | os.PathLike[str]


def simulate_molecules(
    molecules: "str | Mol | Atoms | Iterable[str | Mol | Atoms]",
    settings: Settings | None = None,
    n_processes: int | None = 1,
) -> Iterator[Outcome]:
    """Simulate molecules, each in a child of this process.

    Parameters
    ----------
    molecules
        One or several: SMILES, molecules of RDKit, atoms of ASE. A SMILES is simulated as it is
        given. Of RDKit's and ASE's, the SMILES counts: a geometry is found anew. The bonds of ASE's
        are told by their coordinates and ``atoms.info["charge"]``, 0 by default.
    settings
        Their sections `property` and `simulation` say how; the defaults otherwise.
    n_processes
        That simulate at the same time; None: one a core.

    Yields
    ------
    One outcome each, in order: a success with its value in the property's unit, or a failure. It
    says its SMILES, and the name: RDKit's ``_Name`` or ``atoms.info["name"]``. Never raises for a
    molecule: where the bonds of atoms cannot be told, it is a failure of the kind
    ``unknown_bonds``.

    Raises
    ------
    InputError
        The simulator cannot be imported, or something is no molecule.
    """
    from molloop.sandbox.worker import run_one
    from molloop.simulate.given import listed, name_of, smiles_of
    from molloop.simulate.task import SimulationTask

    protocol = (settings or Settings()).protocol()
    check_simulator(protocol)
    task = SimulationTask(protocol)

    def outcome_of(given: "str | Mol | Atoms") -> Outcome:
        smiles = ""
        try:
            smiles = smiles_of(given)
            outcome = run_one(smiles, task)
        except SimulationError as error:
            outcome = Failure(error.kind, error.message)
        return replace(outcome, smiles=smiles, name=name_of(given))

    n = cores() if n_processes is None else n_processes
    return (
        map(outcome_of, listed(molecules))
        if n == 1
        else in_threads(outcome_of, listed(molecules), n)
    )


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


def suggest(
    library: Library | Settings | AnyPath,
    training_data: Mapping[str, float] | AnyPath,
    n: int = 20,
    *,
    pending: Iterable[str] | AnyPath | None = None,
    column: str | None = None,
    direction: str = "maximise",
    policy: str = "gp",
    seed: int = 42,
    progress: Progress | None = None,
) -> Suggestions:
    """Name the molecules of a library to try next, for values that come from elsewhere.

    Values of an experiment or of another code train a model, and the library is ranked with it, as
    in a run, but for the simulations: ask, try, and ask again with what came out.

    Parameters
    ----------
    library
        Or what :func:`open_library` takes.
    training_data
        A .csv or .tsv file with the columns ``smiles`` and one of numbers; or values by SMILES.
        Molecules that the library does not hold train the model, too. One whose cell is empty was
        tried and gave no value: it is not suggested either.
    n
        How many.
    pending
        Molecules that are being tried elsewhere: a file with the column ``smiles``, or SMILES. They
        are not suggested, and others are chosen as if their values were known to be the expected
        ones. One that has a value is pending no more.
    column
        Of the values; None: the only one that holds numbers.
    direction
        Which values are good: ``maximise`` or ``minimise``.
    policy
        As :confval:`search.policy`.
    seed
        Of whatever the model draws.
    progress
        Called while the library is built, with what is being done, and how much of it, 0 to 1.

    Raises
    ------
    InputError
        A file, a column, a SMILES or a value cannot be read, values were computed in different
        ways, a molecule has two, there are fewer than two, or no molecule is left.
    RunError
        As :func:`open_library`.
    """
    if n < 1:
        raise InputError("n", n, "1 at least", "Ask for more.")
    given = {"search.policy": policy, "property.direction": direction, "campaign.seed": seed}
    settings = load(overrides=given)
    if policy == "random":
        raise InputError("search.policy", policy, "one with a model", "Chance needs no values.")
    if isinstance(training_data, Mapping):
        values = given_values(training_data, column)
    else:
        values = read_measured(Path(training_data), column)
    if isinstance(pending, str | os.PathLike):
        waiting = read_pending(Path(pending))
    else:
        waiting = given_pending(pending or ())
    return suggestions(
        library if isinstance(library, Library) else open_library(library, progress),
        values,
        waiting,
        n,
        sign=settings.objective().sign,
        policy=settings.policy(),
        seed=settings.campaign.seed,
    )


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
    check_model(settings)
    library = open_library(settings, progress)
    training_data = settings.campaign.training_data
    protocol = settings.protocol()
    warm_start = read_warm_start(
        Path(training_data) if training_data else None,
        settings.objective().quantity.column,
        protocol,
        library,
    )
    check_simulator(protocol)
    parsl_config(settings, run_dir)  # says what is wrong with the path before anything is written
    with closing(RunDir(run_dir)) as directory:
        session = make_session(settings, library)
        directory.write_config(session.config)
        with closing(
            Store.create(directory.store, session, warm_start.known, [stage_of(protocol)])
        ) as store:
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
    check_model(settings)
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
    with closing(Reader.read(find_run(Path(run_dir)))) as store:
        settings = parse(store.sessions()[-1].config)
        return results.read(store, settings.objective(), settings.protocol())


def export_run(
    run_dir: AnyPath, out: AnyPath, file_format: str, progress: Progress | None = None
) -> int:
    """Write a run's values and geometries for other programs; return how many molecules.

    Parameters
    ----------
    out
        The file; one that is there is replaced.
    file_format
        ``csv``, ``parquet``, ``sdf``, ``extxyz`` or ``ase-db``.
    progress
        Called with what is being done.

    Raises
    ------
    InputError
        The directory holds no run, the format or the file is wrong.
    StoreError
        Its database cannot be read.
    """
    from molloop.report.export import export

    show = progress or _show_nothing
    show(f"reading {terminal_path(run_dir)}", 0.0)
    found = read_results(run_dir)
    _spare_runs(Path(out), [Path(run_dir)])
    show(f"writing {terminal_path(out)}", 0.0)
    return export(found, file_format, Path(out))


def write_report(
    run_dirs: AnyPath | Sequence[AnyPath], out: AnyPath, progress: Progress | None = None
) -> None:
    """Freeze the page of a run, or of several side by side, into one file that needs no other.

    Parameters
    ----------
    out
        The file; one that is there is replaced.
    progress
        Called with what is being done.

    Raises
    ------
    InputError
        A directory holds no run, or the file cannot be written.
    StoreError
        A database cannot be read.
    """
    from molloop.files import write_whole
    from molloop.report.page.feed import Feed
    from molloop.report.page.render import frozen_document

    show = progress or _show_nothing
    folders = [
        Path(one) for one in ([run_dirs] if isinstance(run_dirs, str | os.PathLike) else run_dirs)
    ]
    runs = []
    for folder in folders:
        show(f"reading {terminal_path(folder)}", 0.0)
        runs.append(Feed(folder).run)
    show("drawing", 0.0)
    text = frozen_document(runs)
    _spare_runs(Path(out), folders)
    try:
        write_whole(Path(out), lambda unfinished: unfinished.write_text(text, "utf-8"))
    except OSError as error:
        expected = "a file that can be written"
        raise InputError("--out", str(out), expected, f"It fails with: {error}.") from error


def _show_nothing(_what: str, _fraction: float) -> None:
    pass


def _spare_runs(out: Path, run_dirs: Sequence[Path]) -> None:
    """Raise InputError where the file to write is one that a run is made of."""
    if any(is_own(one, folder) for one in (out, out.resolve()) for folder in run_dirs):
        raise InputError("--out", str(out), "another file than those of the run", "Name another.")


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
    with closing(Reader.read(find_run(folder))) as store:
        stored = parse(store.sessions()[-1].config)
    if not trust:
        check_trust(folder, stored)
    return revise(stored, assignments, sections)

"""Runs read: results, exports, frozen pages."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from molloop import results
from molloop.api.runs import run_settings
from molloop.config.load import parse
from molloop.errors import InputError, RunError, not_written
from molloop.files import AnyPath
from molloop.library.shards import Progress
from molloop.results import Results
from molloop.store.reader import Reader
from molloop.store.record import N_BEST
from molloop.store.records import versions_of
from molloop.store.run_dir import find_run, is_own
from molloop.texts import terminal_path


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
        sessions = store.sessions()
        settings = parse(sessions[-1].config)
        found = results.read(store, settings.goal(), *settings.protocols())
        return replace(found, library=store.searched(), versions=versions_of(sessions))


def export_run(
    run_dir: AnyPath,
    out: AnyPath,
    file_format: str,
    progress: Progress | None = None,
    *,
    top: int | None = None,
    say: Callable[[str], None] | None = None,
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
    top
        Only so many of the best, the best first.
    say
        Called with what a reader of the file has to know: molecules without a geometry, which are
        drawn in an SDF and left out of the others; that what is expected of the last of several
        stages is left out, where the run's library is not there.

    Raises
    ------
    InputError
        The directory holds no run, the format or the file is wrong.
    StoreError
        Its database cannot be read.
    """
    from molloop.report.export import export

    if top is not None and top < 1:
        raise InputError("top", top, "1 at least", "Ask for more.")
    show = progress or _show_nothing
    show(f"reading {terminal_path(run_dir)}", 0.0)
    found, obstacle = _with_expected(read_results(run_dir), run_dir, progress)
    _spare_runs(Path(out), [Path(run_dir)])
    show(f"writing {terminal_path(out)}", 0.0)
    done = export(found, file_format, Path(out), top)
    if say is not None:
        for note in (*done.notes, *obstacle):
            say(note)
    return done.n_molecules


def _with_expected(
    found: Results, run_dir: AnyPath, progress: Progress | None
) -> tuple[Results, tuple[str, ...]]:
    """Return results that say what is expected of the last of several stages; else why not."""
    from molloop.api.predicting import library_of
    from molloop.assembly.features import features_for
    from molloop.report.expected import with_expected

    if not found.protocols:
        return found, ()
    try:
        settings = run_settings(run_dir)
        with closing(Reader.read(find_run(Path(run_dir)))) as store:
            library = library_of(store.sessions()[-1], settings, progress)
        policy = settings.policy()
        library = features_for([policy], library, progress)
    except (InputError, RunError) as error:
        return found, (f"What is expected of {found.protocol.stage} is left out. {error}",)
    return with_expected(found, library, policy, settings.campaign.seed), ()


def write_report(
    run_dirs: AnyPath | Sequence[AnyPath],
    out: AnyPath,
    progress: Progress | None = None,
    *,
    top: int = N_BEST,
) -> None:
    """Freeze the page of a run, or of several side by side, into one file that needs no other.

    Parameters
    ----------
    out
        The file; one that is there is replaced.
    progress
        Called with what is being done.
    top
        How many of the best molecules each page shows, 10 at least.

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
        runs.append(Feed(folder, max(top, N_BEST)).run)
    show("drawing", 0.0)
    text = frozen_document(runs)
    _spare_runs(Path(out), folders)
    try:
        write_whole(Path(out), lambda unfinished: unfinished.write_text(text, "utf-8"))
    except OSError as error:
        raise not_written("file to write", out, error) from error


def _show_nothing(_what: str, _fraction: float) -> None:
    pass


def _spare_runs(out: Path, run_dirs: Sequence[Path]) -> None:
    """Raise InputError where the file to write is one that a run is made of."""
    if any(is_own(one, folder) for one in (out, out.resolve()) for folder in run_dirs):
        expected = "another file than those of the run"
        raise InputError("file to write", str(out), expected, "Name another.")

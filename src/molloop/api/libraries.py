"""Libraries: built, enumerated, opened."""

import os
from collections.abc import Sequence
from pathlib import Path

from molloop.assembly.campaign import cores
from molloop.assembly.counts import processes
from molloop.assembly.reading import BY_A_BUILD, library_reading
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.files import AnyPath
from molloop.library.choices import BUILT_IN
from molloop.library.enumeration import Enumeration
from molloop.library.ingest import build, library_folder, open_or_build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.library.reading.look import check_effect, look
from molloop.library.reading.options import Reading
from molloop.library.shards import Library, Progress
from molloop.library.sources import locate, titles


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

    is_stated = isinstance(source, Settings)
    settings = source if isinstance(source, Settings) else load(library={"source": source})
    return open_or_build(
        settings.library.source,
        reading=library_reading(settings, None if is_stated else BY_A_BUILD),
        spec=BuildSpec(fragments=settings.library.fragments, same_as=settings.library.same_as),
        cache_dir=platformdirs.user_cache_path("molloop") / "libraries",
        n_processes=cores(),
        progress=progress,
    )


def build_library(
    files: AnyPath | Sequence[AnyPath],
    folder: AnyPath,
    column: str | int | None = None,
    spec: BuildSpec | None = None,
    n_processes: int | None = None,
    progress: Progress | None = None,
    *,
    name_column: str | int | None = None,
    keep_columns: Sequence[str | int] = (),
    separator: str | None = None,
    no_header: bool = False,
) -> Library:
    """Build a library from files of molecules; go on with a build, or open a finished library.

    Parameters
    ----------
    files
        One or several: .smi, .txt, .csv, .tsv, .cxsmiles, .sdf or .parquet, also with .gz, .bz2,
        .zst or .xz behind. The content decides.
    folder
        Takes the library.
    column
        Name or number, from 1, of the column of SMILES or InChI; None: it is found by its name.
    spec
        Fingerprints, filters, what becomes of salts, and which molecules are the same.
    n_processes
        That parse molecules; None: one a core.
    progress
        Called with what is being done, and how much of it, 0 to 1.
    name_column, keep_columns, separator, no_header
        As :confval:`library.name_column` and the others.

    Raises
    ------
    InputError
        A file, the column or a filter is wrong, or the folder holds something else.
    RunError
        The folder cannot be written.
    """
    paths = [files] if isinstance(files, str | os.PathLike) else files
    reading = Reading.of(column, name_column, keep_columns, separator, no_header)
    source = Files.of([os.fspath(one) for one in paths], reading)
    check_effect(reading, source.formats, source.name)
    return build(source, Path(folder), spec or BuildSpec(), processes(n_processes), progress)


def how_read(source: str, reading: Reading) -> list[str]:
    """Say how the file of a library is read; nothing where it is built, or molloop's own.

    Raises
    ------
    InputError
        As :func:`open_library`.
    """
    is_own_file = source not in BUILT_IN and library_folder(source) is None
    return understood([source], reading) if is_own_file else []


def understood(files: Sequence[AnyPath], reading: Reading) -> list[str]:
    """Say of each file in a line how it is read.

    Raises
    ------
    InputError
        As :func:`build_library`.
    """
    paths = [locate(os.fspath(one)) for one in files]
    return [
        f"{title}: {look(path, reading)}" for title, path in zip(titles(paths), paths, strict=True)
    ]


def enumerate_library(
    scaffolds: AnyPath,
    substituents: AnyPath,
    folder: AnyPath,
    max_molecules: int | None = None,
    column: str | int | None = None,
    spec: BuildSpec | None = None,
    n_processes: int | None = None,
    progress: Progress | None = None,
    *,
    separator: str | None = None,
    no_header: bool = False,
) -> Library:
    """Build a library of every scaffold with every substituent at every attachment point.

    Parameters
    ----------
    scaffolds, substituents
        Files of SMILES with attachment points ``*`` or ``[*:1]``: any number in a scaffold, one in
        a substituent; ``*[H]`` leaves a point empty.
    max_molecules
        Take this many of the products, spread over all of them; None: all.
    folder, column, spec, n_processes, progress, separator, no_header
        As of :func:`build_library`; what says how a file is read is said of both.

    Raises
    ------
    InputError, RunError
        As :func:`build_library`; a line is no scaffold or no substituent.
    """
    files = os.fspath(scaffolds), os.fspath(substituents)
    reading = Reading.of(column, separator=separator, no_header=no_header)
    source = Enumeration.of(*files, reading, max_molecules)
    return build(source, Path(folder), spec or BuildSpec(), processes(n_processes), progress)

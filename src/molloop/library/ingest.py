"""A source of SMILES becomes a library: validated, deduplicated shards with their features."""

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path

import rdkit

import molloop
from molloop.errors import InputError, RunError, remedy_there
from molloop.files import write_whole
from molloop.library.assemble import assemble, write_rejects
from molloop.library.choices import BUILT_IN
from molloop.library.conditions import each_of
from molloop.library.descriptors import DESCRIPTORS, VERSION
from molloop.library.folder import (
    UNFINISHED,
    RejectedError,
    check_content,
    check_folder,
    locked,
    tidied,
)
from molloop.library.manifest import (
    MANIFEST,
    REJECTS,
    SCHEMA_VERSION,
    BuildSpec,
    Manifest,
)
from molloop.library.origin import Files, Source
from molloop.library.parts import LINES_PER_PART, find_parts, make_parts
from molloop.library.reading.look import check_effect
from molloop.library.reading.options import Reading
from molloop.library.rejected import rejected_by_reason
from molloop.library.shards import Library, Progress
from molloop.library.sources import NothingReadError
from molloop.texts import counted

KEY = "key"


def open_or_build(
    source: str,
    *,
    reading: Reading | None = None,
    spec: BuildSpec | None = None,
    cache_dir: Path,
    n_processes: int = 1,
    progress: Progress | None = None,
) -> Library:
    """Open a library; one that is not built is, at its first use.

    Parameters
    ----------
    source
        A folder that holds a library, the name of a built-in one, or a file of molecules.
    reading
        What the user says of the file.
    spec
        How a library is built of a file; None: as by default.
    cache_dir
        Libraries that are built here are kept here, under a name made from the source's content.
    n_processes
        How many parse molecules at the same time.
    progress
        Called with what is being done, and how much of it.

    Raises
    ------
    InputError
        The source is missing, cannot be read, or holds no molecule; or it is built, and something
        is said of how a library is read or built.
    RunError
        The cache cannot be written, or the library is damaged.
    """
    if source not in BUILT_IN and (folder := library_folder(source)) is not None:
        check_unread(source, reading or Reading(), spec or BuildSpec())
        library = Library(folder)
    else:
        files, spec = Files.of([source], reading), spec or BuildSpec()
        check_effect(files.reading, files.formats, files.name)
        stem = files.paths[0].name.split(".")[0]
        target = cache_dir / f"{stem}-{_key(files, spec)[:16]}"
        library = build(files, target, spec, n_processes, progress)
    library.verify_changed(n_processes, progress)
    return library


def check_unread(source: str, reading: Reading, spec: BuildSpec | None = None) -> None:
    """Raise InputError where something is said of how a library is built that is there already."""
    if reading != Reading():
        expected = "a file, where options say how it is read"
    elif (spec or BuildSpec()) != BuildSpec():
        expected = "a file, where fragments and same_as say how a library is built of it"
    else:
        return
    raise InputError("library", source, expected, "This one is built: leave them out.")


def library_folder(source: str) -> Path | None:
    """Return the folder of a built library; None where it is none, or no name of a folder."""
    with suppress(OSError, RuntimeError):  # too long a name, an unknown user
        folder = Path(source).expanduser()
        if (folder / MANIFEST).is_file():
            return folder
    return None


def build(
    source: Source,
    folder: Path,
    spec: BuildSpec,
    n_processes: int = 1,
    progress: Progress | None = None,
) -> Library:
    """Build a library in a folder, go on with one that was not finished, or open a finished one.

    Two builds of the same folder at the same time wait for each other.

    Raises
    ------
    InputError
        A filter or the source is wrong, or the folder holds something else.
    RunError
        The folder cannot be written.
    """
    spec.check()
    report = progress or (lambda _what, _fraction: None)
    key = _key(source, spec)
    check_folder(folder)
    if not (folder / MANIFEST).is_file() or (folder / UNFINISHED).exists():
        try:
            check_content(folder)
            is_new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder, report):
                if not (folder / MANIFEST).is_file():
                    with tidied(folder, is_new):
                        _build(source, spec, key, folder, n_processes, report)
                shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
        except (OSError, NotImplementedError) as error:  # the latter: no locks here
            raise RunError(
                f"The library cannot be kept in {folder} ({error}).",
                f"{remedy_there(error)}, or choose another folder (XDG_CACHE_HOME for the cache); "
                "the same command goes on where this one stopped.",
            ) from error
    library = Library(folder)
    if library.manifest.key != key:
        raise _other(folder, "library")
    return library


def _key(source: Source, spec: BuildSpec) -> str:
    """Return a checksum of all that a library's content depends on."""
    facts = (
        SCHEMA_VERSION,
        [one.sha256 for one in source.files],
        source.options,
        spec,
        DESCRIPTORS,
        VERSION,
        rdkit.__version__,
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _other(folder: Path, what: str) -> InputError:
    return InputError(
        "folder of the library",
        str(folder),
        "a new one",
        f"It holds a {what} of other files, options or versions: remove it or choose another.",
    )


def _build(
    source: Source, spec: BuildSpec, key: str, folder: Path, n_processes: int, report: Progress
) -> None:
    unfinished = folder / UNFINISHED
    _begin(folder, unfinished, key)
    try:
        make_parts(source.blocks(), spec, source.keeps_smiles, unfinished, n_processes, report)
    except NothingReadError as error:
        rejects = write_rejects(find_parts(unfinished), folder)
        shutil.rmtree(unfinished)
        remedy = f"{error.remedy} {rejects} says of each line why."
        raise RejectedError(error.what, error.value, error.expected, remedy) from error
    except InputError:
        if not find_parts(unfinished):
            shutil.rmtree(unfinished)
        raise
    files = [one.file for one in source.files]
    assembled = assemble(find_parts(unfinished), files, folder, unfinished, report)
    if assembled.n_molecules == 0:
        shutil.rmtree(unfinished)
        counts = assembled.counts
        told = "; ".join(one.words for one in rejected_by_reason(folder / REJECTS))
        asked = "; ".join(one.words for one in each_of(spec.filters))
        raise RejectedError(
            "library",
            source.name,
            f"at least one molecule{f' that meets the conditions {asked}' if asked else ''}",
            f"Of its {counted(counts.read, 'line')} none is left ({told}): "
            f"{folder / REJECTS} says of each why.",
        )
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        key=key,
        name=source.name,
        molloop_version=molloop.__version__,
        rdkit_version=rdkit.__version__,
        sources=source.files,
        options=source.options,
        spec=spec,
        counts=assembled.counts,
        n_molecules=assembled.n_molecules,
        descriptors=assembled.descriptors,
        shards=assembled.shards,
        kept=assembled.kept,
        read_as=source.read_as,
        descriptors_version=VERSION,
    )
    write_whole(
        folder / MANIFEST, lambda path: path.write_text(manifest.to_json(), encoding="utf-8")
    )


def _begin(folder: Path, unfinished: Path, key: str) -> None:
    unfinished.mkdir(parents=True, exist_ok=True)
    mark = unfinished / KEY
    content = f"{key} {LINES_PER_PART}"
    if not mark.exists():
        write_whole(mark, lambda path: path.write_text(content, encoding="ascii"))
    elif mark.read_text(encoding="ascii") != content:
        raise _other(folder, "library that is not finished,")

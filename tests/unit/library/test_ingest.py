import csv
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molloop.errors import InputError, RunError
from molloop.library import assemble, ingest, manifest, parts, sources
from molloop.library.assemble import shard_size
from molloop.library.conditions import Conditions
from molloop.library.descriptors import descriptors
from molloop.library.features import MorganSpec, identity_hash, morgan
from molloop.library.featurize import featurize
from molloop.library.ingest import build, open_or_build
from molloop.library.manifest import DUPLICATES, REJECTS, BuildSpec, Counts
from molloop.library.origin import Files
from molloop.library.reading.options import Reading
from molloop.library.shard import Shard
from molloop.library.shards import Library
from molloop.smiles import read_molecule


def write(tmp_path, *lines, name="a.smi"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def build_files(names, folder, spec=None, **options):
    return build(Files.of(names, "smiles"), folder, spec or BuildSpec(), **options)


def all_smiles(library):
    return [library.smiles(key) for key in range(library.n_molecules)]


def rejects(library):
    with (library.folder / REJECTS).open(newline="") as file:
        return list(csv.reader(file))[1:]


def merged(library):
    with (library.folder / DUPLICATES).open(newline="") as file:
        return list(csv.reader(file))[1:]


def shards(library):
    return [(ref.first_id, entry.sha256) for ref, entry in _pairs(library)]


def _pairs(library):
    return zip(library.shards, library.manifest.shards, strict=True)


def test_smiles_stay_as_given_and_the_first_of_equals_stays(tmp_path):
    source = write(tmp_path, "OCC", "CCO", "C", "bad", "", "N", "C")
    library = open_or_build(source, cache_dir=tmp_path / "cache")
    assert all_smiles(library) == ["OCC", "C", "N"]
    assert library.manifest.counts == Counts(read=7, invalid=2, filtered=0, duplicates=2)
    assert rejects(library) == [
        ["a.smi", "4", "", "bad", "syntax error around position 2"],
        ["a.smi", "5", "", "", "no text"],
    ]
    assert not (library.folder / ingest.UNFINISHED).exists()


def test_what_is_no_row_of_a_table_is_a_reject_that_says_so(tmp_path):
    source = write(tmp_path, "smiles,n", "C,1", "N,2,O", "O", '"C\nQ",3', ",4", name="a.csv")
    library = build_files([source], tmp_path / "library")
    assert all_smiles(library) == ["C"]
    assert library.manifest.counts == Counts(read=5, invalid=4, filtered=0, duplicates=0)
    assert rejects(library) == [
        ["a.csv", "3", "", "", "cells: 3, in the header: 2"],
        ["a.csv", "4", "", "", "cells: 1, in the header: 2"],
        ["a.csv", "6", "", r"C\x0aQ", "signs that stand in no SMILES and no InChI"],
        ["a.csv", "7", "", "", "no text"],
    ]


def test_conditions_that_leave_no_molecule_are_named(tmp_path):
    spec = BuildSpec(filters=Conditions(min_heavy_atoms=5, charge=(0,)))
    source = write(tmp_path, "C", "CC", "CN(C)(C)C", "CCCC[NH3+]")
    with pytest.raises(InputError) as caught:
        build_files([source], tmp_path / "library", spec)
    told = str(caught.value)
    assert "meets the conditions min_heavy_atoms = 5; charge = 0" in told
    assert "Of its 4 lines none is left (2: 1 heavy atom, fewer than 5, or with other num" in told
    assert "1: Explicit valence for atom # 1 N, 4, is greater than permitted; " in told
    assert "1: charge 1" in told


@pytest.mark.parametrize(
    ("kind", "is_kept"), [(".csv", False), (".smi", False), (".parquet", True)]
)
def test_what_another_reader_of_text_built_is_built_anew(tmp_path, monkeypatch, kind, is_kept):
    source = tmp_path / f"a{kind}"
    if kind == ".parquet":
        pq.write_table(pa.table({"smiles": ["C"]}), source)
    else:
        source.write_text("smiles\nC\n")
    first = open_or_build(str(source), cache_dir=tmp_path / "cache")
    monkeypatch.setattr(sources, "TEXT_VERSION", sources.TEXT_VERSION + 1)
    again = open_or_build(str(source), cache_dir=tmp_path / "cache")
    assert (again.folder == first.folder) is is_kept


def test_duplicates_are_found_across_files_and_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 2)
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 1)
    monkeypatch.setattr(assemble, "MIN_SHARD_SIZE", 3)
    first = write(tmp_path, "CO", "C", "N", "OC", "CC")
    second = write(tmp_path, "smiles", "C(O)", "CN", "xx", "CCC", name="b.csv")
    library = build_files([first, second], tmp_path / "library")
    assert all_smiles(library) == ["CO", "C", "N", "CC", "CN", "CCC"]
    assert rejects(library) == [["b.csv", "4", "", "xx", "syntax error around position 1"]]
    assert merged(library) == [
        ["0", "", "a.smi", "4", "", "OC"],
        ["0", "", "b.csv", "2", "", "C(O)"],
    ]
    assert [ref.n_molecules for ref in library.shards] == [3, 3]
    assert [one.file for one in library.manifest.sources] == ["a.smi", "b.csv"]


def test_no_features_are_computed_of_what_was_seen_before():
    block = sources.Block("a.smi", [1, 2, 3], ["OC", "CN", "CO"], ["", "", ""], 1.0)
    done = featurize(block, BuildSpec(), {identity_hash("CO")})
    assert done.molecules.column("smiles").to_pylist() == ["CN"]
    assert done.counts == Counts(read=3, invalid=0, filtered=0, duplicates=2)
    assert done.rejects == ()
    assert [(row.line, row.text) for row in done.repeated] == [(1, "OC"), (3, "CO")]


def test_filtered_lines_say_why(tmp_path):
    filters = Conditions(2, 4, ("C", "F", "O"), ("[OX2H]", "C=O"))
    lines = ["C", "CCCCC", "CN", "CCO", "CC=O", "CF", "[H][H]", "COC", "C[2H]"]
    spec = BuildSpec(filters=filters)
    library = build_files([write(tmp_path, *lines)], tmp_path / "library", spec)
    assert all_smiles(library) == ["CF", "COC"]
    assert [[row[1], *row[3:]] for row in rejects(library)] == [
        ["1", "C", "1 heavy atom, fewer than 2"],
        ["2", "CCCCC", "5 heavy atoms, more than 4"],
        ["3", "CN", "element N"],
        ["4", "CCO", "matches the excluded [OX2H]"],
        ["5", "CC=O", "matches the excluded C=O"],
        ["7", "[H][H]", "0 heavy atoms, fewer than 2"],
        ["9", "C[2H]", "1 heavy atom, fewer than 2"],
    ]
    assert library.manifest.counts == Counts(read=9, invalid=0, filtered=7, duplicates=0)
    assert library.manifest.spec.filters == filters


@pytest.mark.parametrize(
    ("filters", "word"),
    [
        (Conditions(elements=("C", "Xx")), "'Xx'"),
        (Conditions(excluded_smarts=("C", "[")), r"'\['"),
        (Conditions(excluded_smarts=("",)), "''"),
        (Conditions(5, 4), "max_heavy_atoms: got 4"),
    ],
)
def test_a_filter_that_is_none_is_named(tmp_path, filters, word):
    with pytest.raises(InputError, match=word):
        build_files([write(tmp_path, "C")], tmp_path / "library", BuildSpec(filters=filters))
    assert not (tmp_path / "library").exists()


def test_features_are_those_of_the_molecules(small_library):
    ids = [5, 0, 23]
    molecules = [read_molecule(small_library.smiles(key)) for key in ids]
    expected = morgan(molecules, small_library.manifest.spec.morgan)
    assert np.array_equal(small_library.features("fingerprints", ids), expected)
    raw = Shard(small_library.shards[0]).descriptors
    assert np.array_equal(raw[ids], descriptors(molecules))
    scaled = small_library.features("descriptors", range(24))
    assert scaled.mean(axis=0) == pytest.approx(0, abs=0.06)  # some are cut
    assert small_library.features("descriptors", []).shape == (0, raw.shape[1])


def test_statistics_are_those_of_all_shards(tmp_path, small_smi, monkeypatch):
    monkeypatch.setattr(assemble, "MIN_SHARD_SIZE", 5)
    library = build_files([str(small_smi)], tmp_path / "library")
    assert len(library.shards) == 5
    table = np.concatenate([Shard(ref).descriptors for ref in library.shards]).astype(float)
    for one, column in zip(library.manifest.descriptors, table.T, strict=True):
        assert one.mean == pytest.approx(column.mean(), abs=1e-9)
        assert one.std == pytest.approx(column.std(), abs=1e-9)
        assert (one.min, one.max) == (column.min(), column.max())


def test_fingerprints_of_another_size(tmp_path, small_smi):
    spec = BuildSpec(MorganSpec(radius=2, n_bits=1024))
    library = build_files([str(small_smi)], tmp_path / "library", spec)
    expected = morgan([read_molecule(library.smiles(7))], spec.morgan)
    assert np.array_equal(library.features("fingerprints", [7]), expected)
    assert expected.shape == (1, 128)


def test_a_shard_can_be_read_without_molloop(small_library):
    with pa.memory_map(small_library.shards[0].path) as file:
        table = pa.ipc.open_file(file).read_all()
    assert table.column_names == [
        *("smiles", "name", "charge", "n_fragments", "elements"),
        *("fingerprint", "descriptors", "identity_hash", "n_unspecified_stereo"),
    ]
    assert table.num_rows == 24
    assert table["smiles"][10].as_py() == "CCO"
    assert table["descriptors"].type == pa.list_(
        pa.float32(), len(descriptors([read_molecule("C")])[0])
    )


def test_a_second_opening_reads_nothing(tmp_path, monkeypatch):
    source = write(tmp_path, "C", "N")
    first = open_or_build(source, cache_dir=tmp_path / "cache")
    monkeypatch.setattr(parts, "featurize_lines", None)
    assert open_or_build(source, cache_dir=tmp_path / "cache").folder == first.folder


def test_a_built_library_is_opened_by_its_folder(tmp_path):
    built = build_files([write(tmp_path, "C", "N")], tmp_path / "library")
    opened = open_or_build(str(tmp_path / "library"), cache_dir=tmp_path / "cache")
    assert opened.folder == built.folder
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "said",
    [
        {"column": "1"},
        {"name_column": "2"},
        {"keep_columns": ("2",)},
        {"separator": "\t"},
        {"no_header": True},
    ],
    ids=str,
)
def test_nothing_is_said_of_how_a_built_library_is_read(tmp_path, said):
    build_files([write(tmp_path, "C", "N")], tmp_path / "library")
    with pytest.raises(InputError, match="leave them out"):
        open_or_build(
            str(tmp_path / "library"), reading=Reading(**said), cache_dir=tmp_path / "cache"
        )


@pytest.mark.parametrize("spec", [BuildSpec(fragments="largest"), BuildSpec(same_as="inchikey")])
def test_nothing_is_said_of_how_a_built_library_is_built(tmp_path, spec):
    built = build_files([write(tmp_path, "C", "N")], tmp_path / "library", spec)
    with pytest.raises(InputError, match=r"fragments and same_as say.*leave them out"):
        open_or_build(str(built.folder), spec=spec, cache_dir=tmp_path / "cache")


def test_a_changed_file_is_another_library(tmp_path):
    first = open_or_build(write(tmp_path, "C"), cache_dir=tmp_path / "cache")
    second = open_or_build(write(tmp_path, "C", "N"), cache_dir=tmp_path / "cache")
    assert first.folder != second.folder
    assert second.n_molecules == 2


def test_two_builds_at_once_give_one_library(tmp_path):
    source = write(tmp_path, "C", "N", "O")
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(open_or_build, source, cache_dir=tmp_path / "cache") for _ in range(4)]
        assert len({job.result().folder for job in jobs}) == 1
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_relative_paths_are_of_where_this_process_is_now(tmp_path, monkeypatch):
    """Notebooks change it; processes that have parsed for another build are where they began."""
    for name, smiles in (("first", "CO"), ("second", "CN")):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        write(Path(), smiles)
        assert all_smiles(build_files(["a.smi"], Path("library"), n_processes=2)) == [smiles]


@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_interrupted_build_goes_on_where_it_stopped(tmp_path, monkeypatch, n_processes):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 3)
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 2)
    lines = [f"C{'C' * (n // 2)}{'NO'[n % 2]}" for n in range(40)]
    source = write(tmp_path, *lines, "xx", "CN", "NC", *lines[:3])
    whole = build_files([source], tmp_path / "whole")
    assert len(merged(whole)) == 5

    reports = []

    def stop(what, _fraction):
        reports.append(what)
        if reports.count("reading") == 9:  # the first says that it begins
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_files([source], tmp_path / "library", n_processes=n_processes, progress=stop)
    assert not (tmp_path / "library" / "manifest.json").exists()
    written = sorted((tmp_path / "library" / ingest.UNFINISHED).glob("part-*.arrow"))
    assert len(written) == 3
    untouched = {part: part.stat().st_mtime_ns for part in written}

    reports = []

    def check(what, fraction):
        reports.append((what, fraction))
        if what == "finding duplicates":
            assert {part: part.stat().st_mtime_ns for part in written} == untouched

    again = build_files([source], tmp_path / "library", n_processes=n_processes, progress=check)
    assert shards(again) == shards(whole)
    assert again.manifest == whole.manifest
    assert rejects(again) == rejects(whole)
    assert merged(again) == merged(whole)
    assert [what for what, _ in reports if what == "reading"]
    assert reports[-1] == ("writing shards", 1.0)


SCRIPT = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from molloop.library import parts, sources
from molloop.library.ingest import build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
sources.BLOCK_SIZE, parts.BLOCKS_PER_PART = 200, 2
build(Files.of([sys.argv[1]], "smiles"), Path(sys.argv[2]), BuildSpec(), n_processes=2)
"""


@pytest.fixture
def long_source(tmp_path, monkeypatch):
    """Return a file of twenty parts, as SCRIPT has them."""
    monkeypatch.setattr(sources, "BLOCK_SIZE", 200)
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 2)
    smiles = pq.read_table(sources.locate("qm9"))["smiles"].slice(0, 8000).to_pylist()
    return write(tmp_path, *smiles, *smiles[::1000], name="long.smi")


def test_a_killed_build_leaves_no_process_and_goes_on(long_source, tmp_path):
    whole = build_files([long_source], tmp_path / "whole", n_processes=2)
    counts = whole.manifest.counts
    assert (counts.read, counts.invalid) == (8008, 0)
    assert whole.n_molecules == 8008 - counts.duplicates
    assert counts.duplicates >= 8
    done = subprocess.Popen([sys.executable, "-c", SCRIPT, long_source, str(tmp_path / "library")])
    unfinished = tmp_path / "library" / ingest.UNFINISHED
    try:
        while not list(unfinished.glob("part-*.arrow")):
            assert done.poll() is None
            time.sleep(0.05)
        children = psutil.Process(done.pid).children(recursive=True)
        assert len(children) >= 2
    finally:
        done.kill()
        done.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert not (tmp_path / "library" / "manifest.json").exists()
    library = build_files([long_source], tmp_path / "library", n_processes=2)
    assert library.manifest == whole.manifest
    assert shards(library) == shards(whole)


@pytest.mark.parametrize("damage", ["truncated", "without rejects", "without repeated"])
def test_a_damaged_part_is_made_again(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 1)
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 1)
    source = write(tmp_path, "C", "bad", "N", "O")
    expected = build_files([source], tmp_path / "expected")
    monkeypatch.setattr(ingest, "assemble", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_files([source], tmp_path / "library")
    monkeypatch.undo()
    monkeypatch.setattr(sources, "BLOCK_SIZE", 1)
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 1)
    part = tmp_path / "library" / ingest.UNFINISHED / "part-000002.arrow"
    if damage == "truncated":
        part.write_bytes(part.read_bytes()[:-100])
    else:
        part.with_suffix(".csv" if damage == "without rejects" else ".repeated").unlink()
    library = build_files([source], tmp_path / "library")
    assert shards(library) == shards(expected)
    assert rejects(library) == rejects(expected)
    assert library.manifest.counts == expected.manifest.counts


@pytest.mark.parametrize("name", ["~nosuchuser/x", "x" * 300])
def test_what_names_no_library_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="Check the path"):
        open_or_build(name, cache_dir=tmp_path)


def test_a_folder_that_cannot_be_one_is_refused(tmp_path):
    (tmp_path / "file").touch()
    source = write(tmp_path, "C")
    for folder in (tmp_path / "file", tmp_path / "file" / "library", tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match=r"folder of the library.*XDG_CACHE_HOME"):
            build_files([source], folder)


def test_an_unfinished_build_of_other_files_is_not_mixed_in(tmp_path):
    def stop(what, _fraction):
        if what == "finding duplicates":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_files([write(tmp_path, "C", "N")], tmp_path / "library", progress=stop)
    with pytest.raises(InputError, match="not finished, of other files"):
        build_files([write(tmp_path, "O")], tmp_path / "library")
    spec = BuildSpec(filters=Conditions(min_heavy_atoms=1))
    with pytest.raises(InputError, match="not finished, of other files"):
        build_files([write(tmp_path, "C", "N")], tmp_path / "library", spec)
    assert all_smiles(build_files([write(tmp_path, "C", "N")], tmp_path / "library")) == ["C", "N"]
    with pytest.raises(InputError, match="holds a library of other files"):
        build_files([write(tmp_path, "O")], tmp_path / "library")


@pytest.mark.parametrize("when", ["finding duplicates", "writing shards", "after the lists"])
def test_an_interrupted_build_leaves_its_parts_alone(tmp_path, monkeypatch, when):
    def stop(what, _fraction):
        if what == when:
            raise KeyboardInterrupt

    source, folder = write(tmp_path, "C", "x", "N", "C"), tmp_path / "library"
    with monkeypatch.context() as patch:
        if when == "after the lists":
            patch.setattr(ingest, "Manifest", lambda **_: stop(when, 1.0))
        with pytest.raises(KeyboardInterrupt):
            build_files([source], folder, progress=stop)
    assert [one.name for one in folder.iterdir()] == [ingest.UNFINISHED]
    assert all_smiles(build_files([source], folder)) == ["C", "N"]


@pytest.mark.parametrize("is_there", [True, False])
def test_of_a_build_that_fails_at_once_nothing_is_left(tmp_path, is_there):
    path, folder = tmp_path / "a.smi.zst", tmp_path / "library"
    path.write_bytes(pa.compress(b"C\n" * 9, codec="zstd", asbytes=True)[:-3])
    if is_there:
        folder.mkdir()
    with pytest.raises(InputError, match="Truncated"):
        build_files([str(path)], folder)
    assert folder.exists() is is_there
    assert not is_there or not list(folder.iterdir())


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    source = write(tmp_path, "C")
    (tmp_path / "mine" / "build.lock").touch()
    for folder in (tmp_path / "mine", tmp_path / "a.smi"):
        with pytest.raises(InputError, match=str(folder)):
            build_files([source], folder)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "words"


def test_what_a_build_left_behind_goes_with_the_next(tmp_path):
    source = write(tmp_path, "C")
    library = build_files([source], tmp_path / "library")
    (library.folder / ingest.UNFINISHED).mkdir()
    (library.folder / ingest.UNFINISHED / "part-000000.arrow").touch()
    build_files([source], tmp_path / "library")
    assert not (library.folder / ingest.UNFINISHED).exists()


def test_a_lost_worker_is_one_line_and_the_build_goes_on(long_source, tmp_path):
    program = (
        "from molloop.cli import main; from molloop.library import parts, sources; "
        "sources.BLOCK_SIZE, parts.BLOCKS_PER_PART = 200, 2; main()"
    )
    words = ("library", "build", long_source, "--out", tmp_path / "library", "--processes", "2")
    done = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    parts_of = (tmp_path / "library" / ingest.UNFINISHED).glob
    while not list(parts_of("part-*.arrow")):
        assert done.poll() is None
        time.sleep(0.05)
    for one in psutil.Process(done.pid).children(recursive=True):
        if "popen_loky" in " ".join(one.cmdline()):
            one.kill()
            break
    _, errors = done.communicate(timeout=60)
    assert done.returncode == 1
    assert "A process that parses molecules was lost" in errors
    assert "goes on where this one stopped" in errors
    assert "Traceback (most recent call last)" not in errors
    assert list(parts_of("part-*.arrow"))


def test_a_file_name_that_is_no_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.smi"
    with open(path, "w") as file:  # noqa: PTH123 - no path that is text
        file.write("C\nxx\n")
    library = build_files([os.fsdecode(path)], tmp_path / "library")
    assert rejects(library) == [[r"\udcff.smi", "2", "", "xx", "syntax error around position 1"]]
    assert Library(library.folder).manifest.sources[0].file == r"\udcff.smi"


def test_several_processes_give_the_same_library(tmp_path, small_smi, small_library, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 5)
    again = open_or_build(str(small_smi), cache_dir=tmp_path, n_processes=2)
    assert again.manifest.shards == small_library.manifest.shards


@pytest.mark.parametrize("lines", [[""], ["xx", "yy"]])
def test_a_library_without_a_molecule_is_refused(tmp_path, lines):
    with pytest.raises(InputError, match="at least one molecule"):
        build_files([write(tmp_path, *lines)], tmp_path / "library")
    assert [one.name for one in (tmp_path / "library").iterdir()] == [REJECTS]
    mended = build_files([write(tmp_path, "C")], tmp_path / "library")
    assert all_smiles(mended) == ["C"]


def test_a_library_says_how_its_files_were_read(tmp_path):
    (tmp_path / "b.csv").write_text("SMILES;x\nN;1\n")
    names = [write(tmp_path, "C"), write(tmp_path, "O", name="c.smi"), str(tmp_path / "b.csv")]
    lines = "SMILES in column 1, by what it holds; names in column 2; parted by blanks, without a"
    table = "SMILES in 'SMILES', as asked; names behind them, if any; parted by semicolons, with"
    found = build_files(names, tmp_path / "library").summary()
    assert found["  read as 1"] == f"{lines} header (a.smi)"
    assert found["  read as 2"] == f"{table} a header (b.csv)"
    assert "  read as 3" not in found
    assert build_files(names[:2], tmp_path / "two").summary()["  read as"] == f"{lines} header"


@pytest.mark.parametrize("n_processes", [1, 2])
def test_of_a_file_of_which_nothing_can_be_read_every_line_is_told(
    tmp_path, monkeypatch, n_processes
):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 2)
    monkeypatch.setattr(parts, "BLOCKS_PER_PART", 2)
    good, bad = write(tmp_path, "C", "xx no 1"), tmp_path / "bad.smi"
    bad.write_text("".join(f"x{number} =name\n" for number in range(7)))
    folder = tmp_path / "library"
    with pytest.raises(InputError) as caught:
        build(Files.of([good, str(bad)]), folder, BuildSpec(), n_processes)
    told = str(caught.value)
    assert "line 1: SMILES 'x0', name '=name'; line 2: SMILES 'x1', name '=name'; line 3" in told
    assert told.endswith(f"{folder / 'rejects.csv'} says of each line why.")
    rows = (folder / "rejects.csv").read_text().splitlines()[1:]
    assert [row.split(",")[:4] for row in rows] == [
        ["a.smi", "2", "no 1", "xx"],
        *(["bad.smi", str(number + 1), "'=name", f"x{number}"] for number in range(7)),
    ]
    # what was mended has nothing in its way
    bad.write_text("N\n")
    library = build(Files.of([good, str(bad)]), folder, BuildSpec(), n_processes)
    assert all_smiles(library) == ["C", "N"]


def test_molecules_are_found_across_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "MIN_SHARD_SIZE", 2)
    source = write(tmp_path, "C", "N", "O", "CC", "CN")
    library = open_or_build(source, cache_dir=tmp_path / "cache")
    assert [ref.n_molecules for ref in library.shards] == [2, 2, 1]
    assert [ref.first_id for ref in library.shards] == [0, 2, 4]
    assert all_smiles(library) == ["C", "N", "O", "CC", "CN"]
    hashes = [int(h) for ref in library.shards for h in Shard(ref).identity_hashes]
    assert library.find([hashes[3], hashes[0], 12345]) == {hashes[0]: 0, hashes[3]: 3}
    assert library.find([]) == {}
    mixed = [4, 0, 3, 0]
    apart = [(Shard(library.shards[key // 2]), key % 2) for key in mixed]
    packed = [shard.fingerprints[row] for shard, row in apart]
    assert np.array_equal(library.features("fingerprints", mixed), packed)
    raw = np.array([shard.descriptors[row] for shard, row in apart])
    assert np.array_equal(library.features("descriptors", mixed), library.scaling.apply(raw))
    for wrong in (-1, 5):
        with pytest.raises(IndexError, match=f"id {wrong} is not in 0 to 4"):
            library.smiles(wrong)
        with pytest.raises(IndexError, match=f"id {wrong} is not in 0 to 4"):
            library.features("fingerprints", [0, wrong, 4])


def test_the_number_of_shards_is_fixed_by_the_library():
    assert shard_size(1) == shard_size(130_744) == shard_size(2048 * 32_768) == 32_768
    assert shard_size(2048 * 32_768 + 1) == 65_536
    assert shard_size(10**9) == 2**19  # 1,908 shards


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(RunError, match=r"/proc/libraries.*XDG_CACHE_HOME"):
        open_or_build(write(tmp_path, "C"), cache_dir=Path("/proc/libraries"))


def test_a_file_that_breaks_in_the_middle_is_an_error_with_several_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_SIZE", 3)
    path = tmp_path / "a.smi.zst"
    lines = "".join("C" * (n % 50 + 1) + "\n" for n in range(20_000)).encode()
    path.write_bytes(pa.compress(lines, codec="zstd", asbytes=True)[:-30])
    with pytest.raises(InputError, match="Truncated"):
        open_or_build(str(path), cache_dir=tmp_path / "cache", n_processes=2)
    # what was featurized before is kept: a file system may have failed, and not the file
    assert list((tmp_path / "cache").glob("*/unfinished/part-*.arrow"))


@pytest.mark.parametrize("name", ["manifest.json", "shard-00000.arrow"])
def test_a_damaged_library_is_named_before_it_is_used(tmp_path, name):
    source = write(tmp_path, "CCO", "N")
    library = open_or_build(source, cache_dir=tmp_path / "cache")
    path = library.folder / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CCO", b"CSS") if b"CCO" in content else content[:20])
    with pytest.raises(RunError, match=f"{path} is damaged"):
        open_or_build(source, cache_dir=tmp_path / "cache")
    if name != "manifest.json":
        with pytest.raises(RunError, match=f"{path} is damaged"):
            library.verify()


@pytest.mark.parametrize("damage", ["truncated", "missing", "another"])
def test_a_damaged_shard_is_named(tmp_path, damage):
    library = build_files([write(tmp_path, "C", "N")], tmp_path / "library")
    path = library.folder / library.manifest.shards[0].file
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "another":
        other = build_files([write(tmp_path, "C", "N", "O")], tmp_path / "other")
        path.write_bytes((other.folder / path.name).read_bytes())
    else:
        path.unlink()
    for use in (lambda: Library(library.folder).smiles(0), library.verify, library.verify_changed):
        with pytest.raises(RunError, match=str(path)):
            use()


def test_only_what_was_touched_is_verified_again(tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "MIN_SHARD_SIZE", 2)
    library = build_files([write(tmp_path, "C", "N", "O", "CC", "CN")], tmp_path / "library")
    verified = []
    check = Library._verify_one
    monkeypatch.setattr(
        Library,
        "_verify_one",
        lambda self, entry: (verified.append(entry.file), check(self, entry)),
    )
    names = [entry.file for entry in library.manifest.shards]
    library.verify_changed()
    assert verified == names
    library.verify_changed()
    assert verified == names
    os.utime(library.folder / names[1])
    library.verify_changed()
    assert verified == [*names, names[1]]
    (library.folder / "verified.json").write_text("junk")
    library.verify_changed()
    assert sorted(verified[4:]) == names
    library.verify()
    assert len(verified) == 10


def change_manifest(library, **changes):
    path = library.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("version", [1, 2, 5, "x", None])  # 2: of molloop 0.1.0
def test_a_library_of_a_version_not_known_is_told_with_the_command(tmp_path, version):
    source = write(tmp_path, "C")
    library = build_files([source], tmp_path / "library")
    change_manifest(library, schema_version=version, counts="of another form")
    for use in (Library, lambda folder: build_files([source], folder)):
        with pytest.raises(InputError, match=rf"version 4 \(its manifest says {version!r}") as e:
            use(library.folder)
        told = f"Build it anew from {source}: `molloop library build FILE... --out DIR`."
        assert str(e.value).endswith(told)
        assert "\n" not in str(e.value)


def test_a_kept_library_of_an_older_version_is_built_anew(tmp_path, monkeypatch):
    source = write(tmp_path, "C", "N")
    with monkeypatch.context() as older:
        for module in (ingest, manifest):
            older.setattr(module, "SCHEMA_VERSION", 2)
        first = open_or_build(source, cache_dir=tmp_path / "cache")
    again = open_or_build(source, cache_dir=tmp_path / "cache")
    assert (first.manifest.schema_version, again.manifest.schema_version) == (2, 4)
    assert again.folder != first.folder


def test_a_library_with_descriptors_of_another_rdkit_is_told_with_the_command(tmp_path):
    library = build_files([write(tmp_path, "C")], tmp_path / "library")
    facts = json.loads((library.folder / "manifest.json").read_text())
    change_manifest(library, descriptors=facts["descriptors"][1:], options={"max_molecules": 9})
    with pytest.raises(InputError, match=r"this molloop and RDKit.*library enumerate SCAFFOLDS"):
        Library(library.folder)


def test_a_library_whose_descriptors_came_out_otherwise_is_told(tmp_path):
    library = build_files([write(tmp_path, "C")], tmp_path / "library")
    change_manifest(library, descriptors_version=0)
    with pytest.raises(InputError, match=r"89 descriptors of this molloop.*library build FILE"):
        Library(library.folder)


@pytest.mark.parametrize("shards", [3, [{"file": "shard-00000.arrow"}]])
def test_a_manifest_that_is_none_is_damage(tmp_path, shards):
    library = build_files([write(tmp_path, "C")], tmp_path / "library")
    change_manifest(library, shards=shards)
    with pytest.raises(RunError, match=r"manifest\.json is damaged"):
        Library(library.folder)


def test_a_stopped_build_leaves_no_process(long_source, tmp_path):
    done = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, long_source, str(tmp_path / "library")],
        stderr=subprocess.PIPE,
    )
    while len(children := psutil.Process(done.pid).children(recursive=True)) < 2:
        assert done.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    done.send_signal(signal.SIGINT)
    _, errors = done.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert not (tmp_path / "library" / "manifest.json").exists()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_file_whose_name_is_no_unicode_becomes_a_library(tmp_path):
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.smi"))
    source.write_text("C\nCO\n")
    library = open_or_build(str(source), cache_dir=tmp_path / "cache")
    assert all_smiles(library) == ["C", "CO"]
    assert all_smiles(open_or_build(str(source), cache_dir=tmp_path / "cache")) == ["C", "CO"]


def test_a_library_of_no_files_is_told():
    with pytest.raises(InputError, match="files: got 'none', expected at least one of molecules"):
        Files.of([])


def test_a_library_is_called_as_the_user_names_it(tmp_path):
    source = write(tmp_path, "C", "CC", name="acids.smi")
    build_files([source], tmp_path / "lib")
    for given, title in ((source, "acids.smi"), (str(tmp_path / "lib"), "lib")):
        library = open_or_build(given, cache_dir=tmp_path / "cache")
        assert (library.title, library.describe()["title"]) == (title, title)

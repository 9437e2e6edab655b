import csv
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from molloop.errors import InputError, RunError
from molloop.library import ingest
from molloop.library.features import morgan, parse
from molloop.library.ingest import open_or_build
from molloop.library.shards import SHARD_SIZE, Library, Shard


def write(tmp_path, *lines):
    path = tmp_path / "a.smi"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_smiles_stay_as_given_and_the_first_of_equals_stays(tmp_path):
    source = write(tmp_path, "OCC", "CCO", "C", "bad", "", "N", "C")
    library = open_or_build(source, cache_dir=tmp_path / "cache")
    assert [library.smiles(key) for key in range(library.n_molecules)] == ["OCC", "C", "N"]
    manifest = library.manifest
    assert (manifest.n_read, manifest.n_rejected, manifest.n_duplicates) == (7, 2, 2)
    with (library.folder / ingest.REJECTS).open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "smiles", "reason"],
            ["4", "bad", "not a valid molecule"],
            ["5", "", "not a valid molecule"],
        ]


def test_features_are_those_of_the_molecules(small_library):
    ids = [5, 0, 23]
    molecules = [parse(small_library.smiles(key)) for key in ids]
    expected = morgan(molecules, small_library.manifest.morgan)
    assert np.array_equal(small_library.fingerprints(ids), expected)


def test_a_second_opening_reads_nothing(tmp_path, monkeypatch):
    source = write(tmp_path, "C", "N")
    first = open_or_build(source, cache_dir=tmp_path / "cache")
    monkeypatch.setattr(ingest, "featurize", None)
    assert open_or_build(source, cache_dir=tmp_path / "cache").folder == first.folder


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


def test_a_build_that_ends_early_leaves_no_library(tmp_path):
    source = write(tmp_path, "C", "N")

    def stop(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_or_build(source, cache_dir=tmp_path / "cache", progress=stop)
    assert list((tmp_path / "cache").iterdir()) == []
    assert open_or_build(source, cache_dir=tmp_path / "cache").n_molecules == 2


def test_several_processes_give_the_same_library(tmp_path, small_smi, small_library, monkeypatch):
    monkeypatch.setattr(ingest.sources, "BLOCK_SIZE", 5)
    again = open_or_build(str(small_smi), cache_dir=tmp_path, n_processes=2)
    assert again.manifest.shards == small_library.manifest.shards


@pytest.mark.parametrize("lines", [[""], ["xx", "yy"]])
def test_a_library_without_a_molecule_is_refused(tmp_path, lines):
    with pytest.raises(InputError, match="at least one valid SMILES"):
        open_or_build(write(tmp_path, *lines), cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_molecules_are_found_across_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "SHARD_SIZE", 2)
    source = write(tmp_path, "C", "N", "O", "CC", "CN")
    library = open_or_build(source, cache_dir=tmp_path / "cache")
    assert [ref.n_molecules for ref in library.shards] == [2, 2, 1]
    assert [ref.first_id for ref in library.shards] == [0, 2, 4]
    assert [library.smiles(key) for key in range(5)] == ["C", "N", "O", "CC", "CN"]
    hashes = [int(h) for ref in library.shards for h in Shard(ref).identity_hashes]
    assert library.find([hashes[3], hashes[0], 12345]) == {hashes[0]: 0, hashes[3]: 3}
    assert library.find([]) == {}
    for wrong in (-1, 5):
        with pytest.raises(IndexError):
            library.smiles(wrong)


def test_a_truncated_shard_is_named(tmp_path):
    library = open_or_build(write(tmp_path, "C", "N"), cache_dir=tmp_path / "cache")
    path = library.folder / library.manifest.shards[0].file
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match=str(path)):
        Library(library.folder).smiles(0)


def test_the_number_of_shards_is_fixed_by_the_library():
    assert SHARD_SIZE == 32_768


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=f"{tmp_path / 'file'}.*XDG_CACHE_HOME"):
        open_or_build(write(tmp_path, "C"), cache_dir=tmp_path / "file" / "libraries")


def test_a_file_that_breaks_in_the_middle_is_an_error_with_several_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest.sources, "BLOCK_SIZE", 3)
    path = tmp_path / "a.smi"
    path.write_bytes(b"C\n" * 30_000 + b"\xff\n")
    with pytest.raises(InputError, match="can't decode"):
        open_or_build(str(path), cache_dir=tmp_path / "cache", n_processes=2)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["manifest.json", "shard-00000.arrow"])
def test_a_damaged_library_is_named_before_it_is_used(tmp_path, name):
    source = write(tmp_path, "CCO", "N")
    path = open_or_build(source, cache_dir=tmp_path / "cache").folder / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CCO", b"CSS") if b"CCO" in content else content[:20])
    with pytest.raises(RunError, match=f"{path} is damaged"):
        open_or_build(source, cache_dir=tmp_path / "cache")

"""What is said where the disk is full: whether there is a run depends on when it is."""

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from small_run import new_store

from molloop.errors import RunError, StoreError
from molloop.store import run_dir
from molloop.store.records import Session
from molloop.store.run_dir import RunDir
from molloop.store.writer import Store

BEGIN_AGAIN = r"No run has begun there.*disk has space.*begin it again"


def full(*_arguments, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_no_configuration(tmp_path, monkeypatch):
    monkeypatch.setattr(run_dir, "write_whole", full)
    with (
        closing(RunDir(tmp_path / "run")) as folder,
        pytest.raises(RunError, match=rf"config\.toml cannot be written .*{BEGIN_AGAIN}") as caught,
    ):
        folder.write_config("")
    assert "resume" not in str(caught.value)


@pytest.mark.parametrize("has_file", [False, True])
def test_no_database(tmp_path, monkeypatch, has_file):
    """The folder takes no file, or a file and nothing into it."""
    if has_file:

        def fill(_self, _known, _stages):
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(Store, "_fill", fill)
    else:
        monkeypatch.setattr(Path, "touch", full)
    path = tmp_path / run_dir.STORE
    with pytest.raises(
        StoreError, match=rf"cannot be made .*(full|space).*{BEGIN_AGAIN}"
    ) as caught:
        Store.create(path, Session("now", "", {}))
    assert "begin it again" in str(caught.value)
    assert "resume" not in str(caught.value)
    monkeypatch.undo()
    new_store(tmp_path).close()  # what was left is not in the way


def test_a_configuration_that_is_revised(tmp_path, monkeypatch):
    new_store(tmp_path).close()
    monkeypatch.setattr(run_dir, "write_whole", full)
    with (
        closing(RunDir(tmp_path, is_new=False)) as folder,
        pytest.raises(RunError, match=r"has stored is safe.*`molloop resume .*` goes on"),
    ):
        folder.write_config("")

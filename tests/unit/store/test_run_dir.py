import errno
import fcntl
import os
import stat
import subprocess
import sys
from importlib.util import spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import pytest

from molloop.errors import InputError
from molloop.simulate.simulators import Origin
from molloop.store.run_dir import RunDir, environment, find_run, is_held, is_own


def test_a_new_directory_is_private(tmp_path):
    directory = RunDir(tmp_path / "a" / "run")
    directory.write_config("x = 1\n")
    directory.close()
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert (directory.path / "config.toml").read_text() == "x = 1\n"


def test_an_environment_says_where_and_on_what(tmp_path, monkeypatch):
    facts = environment({"n_molecules": 3}, None)
    assert facts["library"] == {"n_molecules": 3}
    assert {"molloop", "tblite", "rdkit", "parsl"} <= set(facts["packages"])
    assert facts["simulator"] is None
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "mine_alone.py").write_text("1/0\n")
    (tmp_path / "mine_all" / "deep").mkdir(parents=True)
    (tmp_path / "mine_all" / "__init__.py").write_text("1/0\n")
    (tmp_path / "mine_all" / "deep" / "__init__.py").write_text("1/0\n")
    (tmp_path / "mine_all" / "one.py").write_text("1/0\n")
    names = ("mine_alone", "mine_all", "mine_all.deep", "mine_all.one")
    # printf '1/0\n' | sha256sum
    sha256 = "ac2ef9e3dc139138fe7da9d1ca02b12be73e98d53e757840f82cd2c6fb2f75d4"
    code = environment({}, Origin(names, "mine", "1.0"))["simulator"]
    assert code == {"package": "mine", "version": "1.0", "sha256": dict.fromkeys(names, sha256)}
    (tmp_path / "mine_all" / "one.py").write_text("1/1\n")
    changed = environment({}, Origin(names))["simulator"]["sha256"]
    assert [name for name in names if changed[name] != sha256] == ["mine_all.one"]
    nowhere = environment({}, Origin(("mine_nowhere.at",)))["simulator"]
    assert nowhere == {"package": "", "version": "", "sha256": {"mine_nowhere.at": None}}


def test_a_module_that_has_a_finder_of_its_own_is_found(tmp_path, monkeypatch):
    (tmp_path / "mine_edited.py").write_text("1/0\n")

    def find_spec(name, *_):
        path = tmp_path / f"{name}.py"
        return spec_from_file_location(name, path) if path.exists() else None

    finder = SimpleNamespace(find_spec=find_spec)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, finder])
    code = environment({}, Origin(("mine_edited",)))["simulator"]
    assert code["sha256"]["mine_edited"].startswith("ac2ef9e3dc139138")


def test_a_directory_that_holds_a_run_is_refused_and_one_without_too(tmp_path):
    with pytest.raises(InputError, match="a folder that holds a run"):
        RunDir(tmp_path, is_new=False)
    (tmp_path / "campaign.sqlite").touch()
    with pytest.raises(InputError, match=f"molloop resume {tmp_path}"):
        RunDir(tmp_path)
    assert find_run(tmp_path) == tmp_path / "campaign.sqlite"
    RunDir(tmp_path, is_new=False).close()
    (tmp_path / "campaign.sqlite").unlink()
    RunDir(tmp_path).close()


def test_one_process_a_directory(tmp_path):
    assert is_held(tmp_path) is False
    first = RunDir(tmp_path)
    assert is_held(tmp_path) is True
    with pytest.raises(InputError, match="no other process"):
        RunDir(tmp_path)
    first.close()
    assert is_held(tmp_path) is False
    RunDir(tmp_path).close()


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from molloop.store.run_dir import RunDir\n"
        "held = RunDir(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert done.returncode == -9
    RunDir(tmp_path).close()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch, code):
    def fail(*_):
        raise OSError(code, "no locks")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(InputError, match="a file system with locks"):
        RunDir(tmp_path)


def test_a_simulator_is_known_by_its_file_wherever_it_lies(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("plain_one.py", "without_init/mine.py", "package_one/__init__.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("a = 1")
    names = ("without_init.mine", "plain_one", "package_one", "nowhere.mine")
    first = environment({}, Origin(names))["simulator"]["sha256"]
    assert first["without_init.mine"] is not None
    assert first["plain_one"] == first["package_one"] == first["without_init.mine"]
    assert first["nowhere.mine"] is None
    (tmp_path / "without_init/mine.py").write_text("a = 2")
    second = environment({}, Origin(names))["simulator"]["sha256"]
    assert [name for name in names if first[name] != second[name]] == ["without_init.mine"]


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="a folder that can be written"):
            RunDir(path)


@pytest.mark.parametrize("name", [".lock", "config.toml", "parsl", "other", "workers.png"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_directory_with_what_is_no_plain_file_is_refused(tmp_path, kind, name):
    (tmp_path / "campaign.sqlite").touch()
    (tmp_path / "file").touch()
    if kind == "link":
        (tmp_path / name).symlink_to(tmp_path / "file")
    else:
        os.mkfifo(tmp_path / name)
    for use in (find_run, lambda path: RunDir(path, is_new=False)):
        with pytest.raises(InputError, match=f"{name} is a {kind}, no plain file or folder"):
            use(tmp_path)
    assert is_held(tmp_path) in (False, None)  # and waits for nothing


def test_a_new_run_does_not_write_through_links_either(tmp_path):
    (tmp_path / "campaign.sqlite.tmp-journal").symlink_to(tmp_path.parent / "elsewhere")
    with pytest.raises(InputError, match="is a link"):
        RunDir(tmp_path)


def test_what_a_run_is_made_of_is_no_file_to_write(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("campaign.sqlite", "campaign.sqlite-journal", ".lock", "config.toml", "parsl"):
        assert is_own(tmp_path / name, tmp_path)
        assert is_own(tmp_path / "link" / name, tmp_path)
        assert not is_own(tmp_path / "elsewhere" / name, tmp_path)
    assert not is_own(tmp_path / "best.sdf", tmp_path)


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(InputError, match="a folder that you may read"):
        find_run(tmp_path)

import json
import stat

import pytest

from molloop.campaign.run_dir import RunDir
from molloop.errors import InputError


def test_a_new_directory_is_private_and_described(tmp_path):
    directory = RunDir(tmp_path / "a" / "run")
    directory.describe("x = 1\n", {"n_molecules": 3})
    directory.close()
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert (directory.path / "config.toml").read_text() == "x = 1\n"
    facts = json.loads((directory.path / "environment.json").read_text())
    assert facts["library"] == {"n_molecules": 3}
    assert {"molloop", "tblite", "rdkit", "parsl"} <= set(facts["packages"])


def test_a_directory_that_holds_a_run_is_refused(tmp_path):
    (tmp_path / "campaign.sqlite").touch()
    with pytest.raises(InputError, match="holds another run"):
        RunDir(tmp_path)
    (tmp_path / "campaign.sqlite").unlink()
    RunDir(tmp_path).close()


def test_one_process_a_directory(tmp_path):
    first = RunDir(tmp_path)
    with pytest.raises(InputError, match="no other process"):
        RunDir(tmp_path)
    first.close()
    RunDir(tmp_path).close()


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match="a folder that can be written"):
            RunDir(path)

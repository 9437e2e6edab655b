"""What only reads a run: it imports no simulator of the user's, and leaves nothing in the run."""

import signal
import subprocess
import urllib.request
from contextlib import closing

import pytest
from small_run import STEPS

from molloop.campaign.records import Session
from molloop.campaign.store import Store
from molloop.settings import Settings

IMPORTED = "imported"
SIMULATOR = f"from pathlib import Path\nPath({IMPORTED!r}).touch()\nraise RuntimeError\n"


@pytest.fixture
def run_dir(tmp_path):
    """Return a run whose simulator says when it is imported."""
    (tmp_path / "bad.py").write_text(SIMULATOR)
    own = {"simulator": "bad:simulate", "name": "length", "unit": "letters"}
    config = Settings.model_validate({"property": own}).to_toml()
    folder = tmp_path / "run"
    folder.mkdir()
    with closing(Store.create(folder / "campaign.sqlite", Session("now", config, {}))) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)
    return folder


@pytest.mark.parametrize(
    "words", [("status",), ("report", "--out", "a.html"), ("export", "--format", "csv", "--out", "a")]
)
def test_readers_import_no_simulator(molloop, run_dir, tmp_path, words):
    command, *options = words
    done = molloop(command, "run", *options, extra={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / IMPORTED).exists()
    assert "campaign.sqlite" in {one.name for one in run_dir.iterdir()}


def test_a_page_imports_no_simulator_and_ends_in_a_line(command, environment, run_dir, tmp_path):
    with subprocess.Popen(
        [*command, "watch", run_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(tmp_path)},
    ) as watch:
        link = watch.stdout.readline().strip()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert "16.500 letters" in opener.open(link, timeout=30).read().decode()
        # a reader that stays
        with opener.open(link.partition("?")[0] + "events", timeout=30) as events:
            assert events.readline() == b"event: sections\n"
            watch.send_signal(signal.SIGINT)
            _, stderr = watch.communicate(timeout=30)
    assert watch.returncode == 128 + signal.SIGINT
    assert stderr.splitlines() == ["molloop: ended by SIGINT."]
    assert not (tmp_path / IMPORTED).exists()

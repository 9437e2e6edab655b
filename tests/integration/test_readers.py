"""What only reads a run: it imports no code of the user's, and leaves nothing in the run."""

import signal
import subprocess
import urllib.request
from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np
import pytest
from small_run import STEPS, item

from molloop.campaign.events import Finished, Source, Submitted
from molloop.config.settings import Settings
from molloop.molecule import Geometry
from molloop.report.export import ENDINGS, EXPORT_FORMATS
from molloop.simulate.outcome import Success
from molloop.store.records import Session
from molloop.store.writer import Store

IMPORTED = "imported"
SIMULATOR = f"from pathlib import Path\nPath({IMPORTED!r}).touch()\nraise RuntimeError\n"


def own_of(one):
    """Return an outcome as the run's own simulator would have given it."""
    outcome = one.outcome
    if isinstance(outcome, Success):
        outcome = replace(outcome, values={"length": outcome.value})
    return replace(one, stage="bad:simulate", outcome=outcome)


@pytest.fixture
def run_dir(tmp_path):
    """Return a run whose simulator and model say when they are imported."""
    (tmp_path / "bad.py").write_text(SIMULATOR)
    own = {"simulator": "bad:simulate", "name": "length", "unit": "letters"}
    config = Settings.model_validate({"property": own, "search": {"policy": "bad:Model"}}).to_toml()
    folder = tmp_path / "run"
    folder.mkdir()
    with closing(Store.create(folder / "campaign.sqlite", Session("now", config, {}))) as store:
        for time_s, events, items, tasks in STEPS:
            store.append(time_s, events, list(map(own_of, items)), tasks)
        helium = Geometry(np.array([2], "u1"), np.zeros((1, 3)))
        last = own_of(item(5, 9.0, 24.5, "[He]"))
        last = replace(last, outcome=replace(last.outcome, geometries={"molecule": helium}))
        handed_out = Submitted((last.molecule_id,), Source.RANKING, 1)
        store.append(9.0, [handed_out, Finished(last.molecule_id)], [last])
    return folder


def _content(folder):
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("report", "--out", "a.html"),
        *(("export", "--format", one, "--out", f"a{ENDINGS[one][0]}") for one in EXPORT_FORMATS),
    ],
)
def test_readers_import_no_code_of_a_run(molloop, run_dir, tmp_path, words):
    command, *options = words
    before = _content(run_dir)
    done = molloop(command, "run", *options, extra={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / IMPORTED).exists()
    assert _content(run_dir) == before


def test_a_page_imports_no_simulator_and_ends_in_a_line(command, environment, run_dir, tmp_path):
    with (
        subprocess.Popen(
            [*command, "watch", run_dir],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(tmp_path)},
        ) as watch,
        ExitStack() as stack,
    ):
        stack.callback(watch.kill)  # where a check fails nothing else ends it
        link = watch.stdout.readline().strip()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        assert "24.500 letters" in opener.open(link, timeout=30).read().decode()
        # a reader that stays
        with opener.open(link.partition("?")[0] + "events", timeout=30) as events:
            assert events.readline() == b"event: sections\n"
            watch.send_signal(signal.SIGINT)
            _, stderr = watch.communicate(timeout=30)
    assert watch.returncode == 128 + signal.SIGINT
    assert stderr.splitlines() == ["molloop: ended by SIGINT."]
    assert not (tmp_path / IMPORTED).exists()

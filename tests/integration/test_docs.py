"""README and documentation: every block runs, shows what comes out, and the pages can be built."""

import csv
import gzip
import re
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from documented import Runner, blocks, unmarked

from molloop import Settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
GET_STARTED = Path("docs/get-started.md")
FIRST_RUN = "runs/first"
BUILD = "-m sphinx -n -W --keep-going -q -E -a docs docs/_build/html"
# what a browser fetches by itself
LOADED = re.compile(r'(?:<script[^>]* src|<link[^>]* href|<img[^>]* src)="(https?:[^"]*)"')
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "_build" not in path.parts
)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory, environment):
    """Return the run that `Get started` leaves: other pages go on from there."""
    folder = tmp_path_factory.mktemp("first")
    [begun] = [one for one in _blocks(GET_STARTED) if f"--run-dir {FIRST_RUN}" in one.text]
    runner = Runner(folder, _with_commands(environment))
    assert runner.run(begun) == ""
    return folder / FIRST_RUN


@pytest.fixture
def runner(page, request, tmp_path, environment):
    """Return what runs a page in a folder like a clone, with an environment and files of a user."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    _write_files(tmp_path)
    if page != GET_STARTED and any(FIRST_RUN in block.text for block in _blocks(page)):
        shutil.copytree(request.getfixturevalue("first_run"), tmp_path / FIRST_RUN)
    one = Runner(tmp_path, _with_commands(environment))
    yield one
    one.close()


def _with_commands(environment):
    return environment | {"PATH": f"{BIN}:{environment['PATH']}", "COLUMNS": "80"}


def _write_files(folder):
    """Write files that a user has: the pages name them."""
    (folder / "mine.toml").write_text(Settings().to_toml())
    known = ROOT / "src" / "molloop" / "replay" / "data" / "qm9-ie-20k.csv.gz"
    with gzip.open(known, "rt", newline="") as file:
        smiles = [row["smiles"] for row in islice(csv.DictReader(file), 300)]
    (folder / "molecules.smi").write_text("\n".join(smiles) + "\n")
    with gzip.open(folder / "molecules.smi.gz", "wt") as file:
        file.write("\n".join(smiles) + "\n")
    (folder / "more.csv").write_text("name,smiles\na,CCO\nb,FC(F)(F)F\n")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_block_is_left_out_without_a_reason(page):
    wrong = [f"{page}:{one.line}: {unmarked(one)}" for one in _blocks(page) if unmarked(one)]
    assert wrong == []


def _blocks(page):
    return blocks((ROOT / page).read_text(encoding="utf-8"))


def _is_run(page):
    return any(not block.said("not run") for block in _blocks(page))


@pytest.mark.parametrize("page", [page for page in PAGES if _is_run(page)], ids=str)
def test_every_block_shows_what_comes_out(page, runner):
    for block in _blocks(page):
        wrong = runner.run(block)
        assert not wrong, f"{page}:{block.line}: {wrong}"


def test_the_pages_can_be_built(environment):
    """Build where `make docs` does: that need not run the notebooks again."""
    done = subprocess.run(
        [sys.executable, *BUILD.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    for page in PAGES[1:]:
        built = (ROOT / "docs" / "_build" / "html" / page.relative_to("docs")).with_suffix(".html")
        assert not LOADED.findall(built.read_text("utf-8")), f"{page} loads from elsewhere"


def test_make_docs_is_what_is_tested():
    assert f"$(BIN)/python {BUILD}\n" in (ROOT / "Makefile").read_text()

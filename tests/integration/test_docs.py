"""README and documentation: every block runs, shows what comes out, and the pages can be built."""

import csv
import gzip
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from documented import Runner, blocks, unmarked
from filelock import FileLock

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
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    if "_build" not in path.parts
)


@pytest.fixture(scope="module")
def first_run(cache_home, environment):
    """Return the run that `Get started` leaves, one for all processes: pages go on from there."""
    folder = cache_home.parent / "first"
    [begun] = [one for one in _blocks(GET_STARTED) if f"--run-dir {FIRST_RUN}" in one.text]
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_name("unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            assert Runner(unfinished, _with_commands(environment)).run(begun) == ""
            unfinished.rename(folder)
    return folder / FIRST_RUN


def _run_page(page, runner):
    """Return what is wrong with the first block that is wrong, or nothing."""
    with closing(runner):
        for block in _blocks(page):
            if wrong := runner.run(block):
                return f"{page}:{block.line}: {wrong}"
    return ""


def _with_commands(environment):
    return environment | {"PATH": f"{BIN}:{environment['PATH']}", "COLUMNS": "80"}


def _write_files(folder):
    """Make a folder like a clone with an environment, and files of a user: the pages name them."""
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    (folder / "examples").symlink_to(ROOT / "examples")
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
def test_every_block_shows_what_comes_out(page, first_run, tmp_path, environment):
    _write_files(tmp_path)
    if page != GET_STARTED:
        shutil.copytree(first_run, tmp_path / FIRST_RUN)
    assert _run_page(page, Runner(tmp_path, _with_commands(environment))) == ""


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
    for page in (page for page in PAGES if page.parts[0] == "docs"):
        built = (ROOT / "docs" / "_build" / "html" / page.relative_to("docs")).with_suffix(".html")
        assert not LOADED.findall(built.read_text("utf-8")), f"{page} loads from elsewhere"


def test_make_docs_is_what_is_tested():
    assert f"$(BIN)/python {BUILD}\n" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_pages_outside_the_documentation_lead_somewhere(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]*))?\)", (ROOT / name).read_text("utf-8"))
    for path, anchor in links:
        assert (ROOT / path).exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)", (ROOT / path).read_text("utf-8"), re.MULTILINE)
            assert anchor in {one.lower().replace(" ", "-") for one in headings}, anchor


class _Clone:
    """What a change of CONTRIBUTING touches: the package, and the tests that it says to run."""

    def __init__(self, folder, environment):
        self.folder = folder
        self._environment = environment | {"PYTHONPATH": str(folder / "src")}
        self._blocks = _blocks(Path("CONTRIBUTING.md"))
        shutil.copytree(ROOT / "src", folder / "src")

    def change(self, room, name, registry, common):
        """Write a file, a line and a test as the page says it, beside the tests of all."""
        files = {file: block.text for block in self._blocks for file in block.said("file")}
        tests = self.folder / "tests" / "unit" / room
        tests.mkdir(parents=True)
        shutil.copy(ROOT / "tests" / "unit" / room / common, tests)
        (tests / f"test_{name}.py").write_text(files[f"test_{name}.py"])
        folder = self.folder / "src" / "molloop" / room
        (folder / f"{name}.py").write_text(files[f"{name}.py"])
        begun = f"{registry} = Registry(\n    {{\n"
        [line] = [one.text for one in self._blocks if one.text.strip().startswith(f'"{name}": ')]
        lines = (folder / "registry.py").read_text()
        assert lines.count(begun) == 1
        (folder / "registry.py").write_text(lines.replace(begun, f"{begun}{line}"))

    def python(self, *words):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def compared(self, *words):
        """Compare on a small table; return what is shown, and how many rows each policy has."""
        words = ("compare", str(_small_table(self.folder)), *words, "--seeds", "1")
        budget = ("--max-training-count", "12", "--out", "compared")
        shown = self.python("-m", "molloop", *words, *budget)
        with (self.folder / "compared" / "comparison.csv").open(newline="") as file:
            return shown, Counter(row["policy"] for row in csv.DictReader(file))


def test_the_first_change_of_contributing(tmp_path, environment):
    """Write what it says where it says so: one file, one line, one test."""
    clone = _Clone(tmp_path, environment)
    clone.change("surrogate", "nearest", "MODELS", "test_models.py")
    tested = clone.python("-m", "pytest", "-q", "tests", "-k", "nearest or by_hand")
    assert re.search(r"[1-9]\d* passed, \d+ deselected", tested), tested
    listed = clone.python("-m", "pytest", "-q", "tests", "--co", "-k", "nearest-90")
    assert "test_models.py" in listed
    assert "nearest: the nearest molecule's value" in clone.python("-m", "molloop", "config")
    assert "nearest, gp, " in " ".join(clone.python("-m", "molloop", "run", "--help").split())
    shown, n_rows = clone.compared("--policy", "nearest")
    assert re.search(r"^ nearest +0\.", shown, re.MULTILINE)
    assert n_rows["nearest"] == 12


def test_the_features_of_contributing(tmp_path, environment):
    clone = _Clone(tmp_path, environment)
    clone.change("library", "halogens", "FEATURES", "test_kinds.py")
    tested = clone.python("-m", "pytest", "-q", "tests", "-k", "halogens or halothane")
    assert re.search(r"2 passed, \d+ deselected", tested), tested
    assert "halogens: numbers of halogen atoms" in clone.python("-m", "molloop", "config")
    told = " ".join(clone.python("-m", "molloop", "run", "--help").split())
    assert "halogens, descriptors, " in told.replace("│ │ ", "")
    _, n_rows = clone.compared("--features", "halogens")
    assert n_rows["gp"] == 12


def _small_table(folder):
    """Return a table of 40 molecules and their values."""
    known = ROOT / "src" / "molloop" / "replay" / "data" / "qm9-ie-20k.csv.gz"
    with gzip.open(known, "rt", newline="") as file:
        (folder / "known.csv").write_text("".join(islice(file, 41)))
    return folder / "known.csv"

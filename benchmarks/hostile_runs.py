"""Damaged and odd run directories through every reader: `python benchmarks/hostile_runs.py`.

Each case is a good run with one to three things changed by a seed: bytes of its database, cells,
rows, tables and views, its journal, its files (links, pipes, folders), its configuration. `status`,
`report`, `export` in four formats, what `watch` reads with, and `resume` (its budget reached or
raised, a simulator that computes nothing) must end with 0, 1 or 2 within 20 s, without a traceback;
nothing outside the directory may change, nor anything inside by those that only read; and no code
of the directory may run, though it can be imported and workers would be started. Prints what the
commands came to; exit code 1 where one does otherwise. Every file is harmless on its own.

First it looks whether it could fail: the good run gives 0 everywhere, and a run whose configuration
names code or shell lines of its own runs them with `--trust`.
"""

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import stat
import sys
import tempfile
import time
import traceback
from collections import Counter
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np

from molloop import Settings, build_library, cli, open_library
from molloop.assembly.campaign import make_session
from molloop.campaign.engine import Task, Work
from molloop.campaign.events import (
    Began,
    End,
    Finished,
    Ranked,
    RankingBegan,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.jobs import Simulated
from molloop.config.load import load
from molloop.errors import MolloopError
from molloop.molecule import Geometry
from molloop.report.page.feed import Feed
from molloop.simulate.outcome import Calculation, Failure, Success
from molloop.simulate.structure import molecule_with_hydrogens
from molloop.store.records import stage_of
from molloop.store.run_dir import RunDir
from molloop.store.schema import SCHEMA
from molloop.store.writer import Store

TIMEOUT_S = 20
EXIT_CODES = {0, 1, 2}
STORE = "campaign.sqlite"
SIMULATOR = "computes_nothing:simulate"
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
PAGE = "page"  # what `watch` reads with: a server would not end
READERS = (
    ("status",),
    ("status", "--json"),
    (PAGE,),
    ("report", "--out", "{out}/page.html"),
    ("export", "--format", "csv", "--out", "{out}/values.csv"),
    ("export", "--format", "parquet", "--out", "{out}/values.parquet"),
    ("export", "--format", "sdf", "--out", "{out}/values.sdf"),
    ("export", "--format", "extxyz", "--out", "{out}/values.xyz"),
)
RESUME = ("resume", "--quiet")
BUDGET = 12
LARGER_BUDGET = ("--set", f"campaign.max_training_count={BUDGET + 1}")  # workers are started
MARKERS = "markers"  # a folder beside the run
LEAVING_MARKS = {
    "simulator": ("property", 'simulator = "marks:simulate"'),
    "site": ("site", 'name = "marks:config"'),
    "worker_init": ("site", 'worker_init = "touch MARKER"'),
}
OTHER_WAYS = (
    ("site", 'launcher_options = "; touch MARKER ;"'),  # of schedulers that are not here
    ("site", 'cpu_affinity = "list:0$(touch MARKER)"'),  # once stood in a command as it is
    ("campaign", "seed = 1"),
    ("simulation", "timeout_s = nan"),
)
# by the commands: once for all cases
IMPORTED = (
    "ase.db",
    "ase.io.extxyz",
    "molloop.api",
    "molloop.cli.campaign",
    "molloop.cli.report",
    "molloop.execution.parsl_engine",
    "molloop.report.export",
    "molloop.report.figures",
    "molloop.report.predictions",
    "molloop.report.structures",
    "molloop.report.tables",
    "molloop.report.page.render",
    "pandas",
    "pyarrow.parquet",
)
ODD_TEXTS = (
    "", "{", "null", "[]", "{}", "NaN", "1e999", '"\\ud800"', "[" * 500, '{"a":' * 300, "\x00",
    "-1", "99999999999999999999", '{"molecule_ids": [1, 1]}', "x" * 5000, "Stopped", "$x_{1}$",
    "\x1b[31m", "Infinity", "true", '{"pid": "x"}', '{"library": 3}', "[1, 2", "import os",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 7, 2**31, 2**53, 2**63 - 1, -(2**63), 1e300, -1e300, float("inf"), 0.5)


def good_run(folder, library):
    """Make a run that has reached its budget: values, failures, rankings, tasks, geometries."""
    settings = load(
        library={"source": str(library.folder)},
        campaign={"initial_training_count": 4, "max_training_count": BUDGET, "batch_size": 4},
        property={"name": "nothing", "unit": "", "simulator": SIMULATOR, "threshold": 3.0},
        site={"workers": 1},
    )
    directory = RunDir(folder)
    session = make_session(settings, library)
    directory.write_config(session.config)
    with contextlib.closing(
        Store.create(directory.store, session, (), [stage_of(settings.protocol())])
    ) as store:
        store.append(
            0.0,
            [
                Began(library.n_molecules, 0),
                Submitted((0, 1, 2, 3), Source.INITIAL, 0, 0, SIMULATOR),
            ],
        )
        number = 0
        for batch in range(4):
            ids = tuple(range(4 * batch, 4 * batch + 4))
            for key in ids:
                time_s = 1.0 + number
                outcome = (
                    Failure("scf", f"no {key}")
                    if key % 4 == 3
                    else success_of(key, library.smiles(key))
                )
                value = getattr(outcome, "value", None)
                where = (number, key, SIMULATOR, library.smiles(key), batch)
                row = Simulated(*where, time_s, "host:1", time_s - 1, time_s, outcome)
                store.append(
                    time_s,
                    [Finished(key, "" if value is not None else "scf", 1.0, value, SIMULATOR)],
                    [row],
                )
                number += 1
            if batch < 3:
                following = tuple(key + 4 for key in ids)
                task = Task(Work.TRAIN, "host:1", number - 0.5, number - 0.2)
                expected = tuple(map(float, following))
                events = [
                    RankingBegan(batch + 1, number),
                    Ranked(batch + 1, following, expected, (0.5,) * 4, 0.3),
                    Submitted(following, Source.RANKING, batch + 1, 0, SIMULATOR),
                ]
                store.append(number, events, [], [task])
        store.append(number + 1.0, [Stopped("12 values are there, as asked", End.DONE)])
    directory.close()


def success_of(key, smiles):
    """Return an outcome whose geometry is of the molecule, as exports look for."""
    numbers = [atom.GetAtomicNum() for atom in molecule_with_hydrogens(smiles).GetAtoms()]
    geometry = Geometry(np.array(numbers, np.uint8), np.arange(3.0 * len(numbers)).reshape(-1, 3))
    calculation = Calculation(0, 0, "none", -1.0, "molecule")
    values = {"nothing": float(key), "half": key / 2}
    return Success(values, {"molecule": calculation}, {"molecule": geometry}, ("odd",))


with contextlib.closing(sqlite3.connect(":memory:")) as empty:
    empty.executescript(SCHEMA)
    TABLES = [
        name for (name,) in empty.execute("SELECT name FROM sqlite_schema WHERE sql GLOB '*TABLE*'")
    ]


# What is changed: each takes the folder and a generator of random numbers.
def change_bytes(folder, rng):
    content = bytearray((folder / STORE).read_bytes())
    for _ in range(rng.choice((1, 3, 30, 300))):
        content[rng.randrange(len(content))] = rng.randrange(256)
    (folder / STORE).write_bytes(content)


def change_header(folder, rng):
    content = bytearray((folder / STORE).read_bytes())
    content[rng.randrange(min(100, len(content)))] = rng.randrange(256)
    (folder / STORE).write_bytes(content)


def cut_or_stretch(folder, rng):
    content = (folder / STORE).read_bytes()
    n = rng.randrange(len(content))
    (folder / STORE).write_bytes(rng.choice((content[:n], content + rng.randbytes(n), b"")))


def move_pages(folder, rng):
    content = (folder / STORE).read_bytes()
    pages = [content[k : k + 4096] for k in range(0, len(content), 4096)]
    for _ in range(rng.randint(1, 3)):
        one, other = rng.randrange(len(pages)), rng.randrange(len(pages))
        pages[one] = pages[other]
    (folder / STORE).write_bytes(b"".join(pages))


def change_cells(folder, rng):
    with changing(folder) as connection:
        for _ in range(rng.randint(1, 3)):
            table = rng.choice(TABLES)
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            column = rng.choice(columns or ["none"])
            value = rng.choice((*ODD_TEXTS, *ODD_NUMBERS, None, rng.randbytes(24), "\udcff"))
            where = rng.choice(("1", "rowid = 1", "rowid % 3 = 0"))
            words = f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {where}"
            with contextlib.suppress(sqlite3.Error, UnicodeEncodeError):
                connection.execute(words, (value,))


def change_bodies(folder, rng):
    with changing(folder) as connection:
        table, column = rng.choice(
            (("events", "body"), ("jobs", "flags"), ("molecules", "smiles"),
             ("molecules", "name"), ("molecules", "kept"),
             ("sessions", "environment"), ("sessions", "config"))
        )  # fmt: skip
        rows = connection.execute(
            f"SELECT rowid, {column} FROM {table} WHERE typeof({column}) = 'text'"
        ).fetchall()
        if rows:
            number, text = rng.choice(rows)
            changed = mutated(text, rng)
            connection.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, number)
            )


def mutated(text, rng):
    """Return a text with a number, a word or a piece of it replaced."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(ODD_TEXTS)
    if kind == 1 and (places := [k for k, letter in enumerate(text) if letter.isdigit()]):
        place = rng.choice(places)
        return text[:place] + str(rng.choice(ODD_NUMBERS)) + text[place + 1 :]
    place = rng.randrange(len(text) + 1)
    return (
        text[:place]
        + rng.choice((*ODD_TEXTS, "", ",", '"', "]"))
        + text[place + rng.randrange(9) :]
    )


def change_rows(folder, rng):
    with changing(folder) as connection:
        table = rng.choice(TABLES)
        part = rng.choice(("1", "rowid = 1", "rowid % 2 = 0", "rowid > 5"))
        what = rng.choice((f"DELETE FROM {table}", f"UPDATE {table} SET rowid = -rowid",
                           f"UPDATE {table} SET rowid = rowid + 1000000"))  # fmt: skip
        with contextlib.suppress(sqlite3.Error):
            connection.execute(f"{what} WHERE {part}")


def change_schema(folder, rng):
    words = rng.choice((
        "CREATE VIEW odd AS SELECT 1",
        "CREATE TABLE odd (x)",
        "CREATE INDEX odd ON events (kind)",
        "DROP INDEX when_known",
        "DROP TABLE tasks",
        "ALTER TABLE events ADD COLUMN odd",
        "ALTER TABLE job_values RENAME COLUMN value TO worth",
        "CREATE TRIGGER odd AFTER INSERT ON events BEGIN SELECT 1; END",
        f"PRAGMA user_version = {rng.choice((0, 1, 2, 3, 99))}",
        "PRAGMA journal_mode = WAL",
        "VACUUM",
    ))  # fmt: skip
    with changing(folder) as connection, contextlib.suppress(sqlite3.Error):
        connection.execute(words)


@contextlib.contextmanager
def changing(folder):
    """Give a connection to the database; where another change has left none, one to nothing."""
    with contextlib.closing(sqlite3.connect(":memory:")) as nothing:
        path = folder / STORE
        is_plain = path.is_file() and not path.is_symlink()
        found = sqlite3.connect(path, isolation_level=None) if is_plain else nothing
        with contextlib.closing(found) as connection, contextlib.suppress(sqlite3.DatabaseError):
            connection.execute("PRAGMA ignore_check_constraints = 1")
            yield connection


def change_journal(folder, rng):
    content = (folder / STORE).read_bytes()[:4096]
    # no name stands before the magic: there is nothing that anybody could touch
    texts = (b"", rng.randbytes(600), JOURNAL_MAGIC + bytes(504) + content,
             rng.randbytes(600) + bytes(8) + JOURNAL_MAGIC)  # fmt: skip
    name = STORE + rng.choice(("-journal", "-journal", "-wal", "-shm"))
    (folder / name).write_bytes(rng.choice(texts))


def change_files(folder, rng):
    names = (STORE, f"{STORE}-journal", ".lock", "config.toml", "parsl", "scratch", "odd",
             "training_data.csv", "workers.png", "job.sh")  # fmt: skip
    path = folder / rng.choice(names)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    kind = rng.choice(("none", "link", "dangling", "pipe", "folder", "socket", "empty", "noise"))
    if kind == "link":
        path.symlink_to(folder.parent / "outside" / rng.choice(("file.txt", "folder", STORE)))
    elif kind == "dangling":
        path.symlink_to(folder.parent / "outside" / "nothing")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        (path / "deeper").mkdir(parents=True)
    elif kind == "socket":
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as one, contextlib.chdir(folder):
            one.bind(path.name)
    elif kind in ("empty", "noise"):
        path.write_bytes(rng.randbytes(200) if kind == "noise" else b"")


def change_configuration(folder, rng):
    """Have the file, the database or both name other things, most of which would leave a mark."""
    leave_marks(folder)
    # never the same in both: a user who has made it so is asked nothing
    in_file, in_database = rng.sample((*LEAVING_MARKS.values(), *OTHER_WAYS), 2)
    where = rng.choice(("file", "database", "database", "both"))
    path = folder / "config.toml"
    if where != "database" and path.is_file():
        text = path.read_text(errors="replace")
        changed = rng.choice((with_line(text, folder, in_file), mutated(text, rng)))
        path.write_text(changed, errors="replace")
    if where != "file":
        change_database(folder, in_database)


def leave_marks(folder):
    """Have a module in the run directory that leaves a mark when it is imported."""
    text = f"open({str(folder.parent / MARKERS / 'imported')!r}, 'w').close()\n"
    (folder / "marks.py").write_text(text)


def change_database(folder, way):
    with changing(folder) as connection:
        query = "SELECT rowid, config FROM sessions WHERE typeof(config) = 'text'"
        for number, text in connection.execute(query).fetchall():
            words = "UPDATE sessions SET config = ? WHERE rowid = ?"
            connection.execute(words, (with_line(text, folder, way), number))


def with_line(text, folder, way):
    """Return a configuration with a line of a section set, which may stand in a comment."""
    section, line = way
    key = line.partition(" ")[0]
    line = line.replace("MARKER", str(folder.parent / MARKERS / "touched"))
    head, found, tail = text.partition(f"[{section}]")
    pattern = re.compile(rf"^(# )?{key} =.*$", re.MULTILINE)
    return head + found + pattern.sub(lambda _: line, tail, count=1)


CHANGES = (
    change_bytes, change_header, cut_or_stretch, move_pages, change_cells, change_cells,
    change_bodies, change_bodies, change_rows, change_schema, change_journal, change_files,
    change_configuration,
)  # fmt: skip


def tree(*folders):
    """Return what lies below some folders: path -> kind and content."""
    found = {}
    for folder in folders:
        for place, _, names in os.walk(folder):
            for path in (Path(place), *(Path(place) / name for name in names)):
                info = path.lstat()
                content = b""
                if stat.S_ISREG(info.st_mode):
                    content = hashlib.sha256(path.read_bytes()).digest()
                elif stat.S_ISLNK(info.st_mode):
                    content = str(path.readlink()).encode()
                found[str(path)] = (info.st_mode, content)
    return found


def call(words, environment, cwd):
    """Call the command in a process of its own, with all imports done; return code and words."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.setsid()
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        _be_the_command(words, environment, cwd)
    os.close(writer)
    text, code = _heard(reader, pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return code, text


def _be_the_command(words, environment, cwd):
    code = 99
    try:
        os.chdir(cwd)
        os.environ.update(environment)
        sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
        sys.argv = ["molloop", *words]
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0), write_through=True)
        sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0), write_through=True)
        if words[0] == PAGE:
            read_as_a_page(Path(words[1]))
        else:
            cli.main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except MolloopError as error:
        print(error)
        code = error.exit_code
    except BaseException:  # noqa: BLE001 - whatever it is must be seen
        traceback.print_exc()
    finally:
        os._exit(code)


def read_as_a_page(run_dir):
    feed = Feed(run_dir)
    for _ in range(2):
        feed.read()


def _heard(reader, pid):
    """Return what a process says until it ends, and its exit code; None where it takes too long."""
    os.set_blocking(reader, False)
    until_s = time.monotonic() + TIMEOUT_S
    text = b""
    code = None
    while code is None and time.monotonic() < until_s:
        with contextlib.suppress(BlockingIOError):
            text += os.read(reader, 1 << 20)
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.005)
    if code is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with contextlib.suppress(BlockingIOError):
        while more := os.read(reader, 1 << 20):
            text += more
    os.close(reader)
    return text.decode(errors="replace"), code


def lay(place, template):
    """Copy the good run into a case's folder, with what stands around it."""
    for name in ("outside/folder", "out", MARKERS):
        (place / name).mkdir(parents=True)
    shutil.copytree(template, place / "run")
    shutil.copy(template / STORE, place / "outside" / STORE)
    (place / "outside" / "file.txt").write_text("not ours\n")
    (place / "outside" / "folder" / "file.txt").write_text("not ours either\n")


def play_command(words, place, cwd="outside"):
    """Call a command for the run of a case, whose modules can be imported."""
    folder, outside = place.parent, str(place / "outside")
    environment = {
        "PYTHONPATH": f"{folder}{os.pathsep}{place / 'run'}", "TMPDIR": str(folder / "tmp"),
        "HOME": outside, "XDG_CACHE_HOME": str(folder / "cache"),
    }  # fmt: skip
    given = [word.format(out=place / "out") for word in words[1:]]
    return call([words[0], str(place / "run"), *given], environment, place / cwd)


def has_run(place):
    """Whether code or a shell line of the run directory has left its mark."""
    return any((place / MARKERS).iterdir())


def refuted(folder, template):
    """Return why the checks of this benchmark cannot fail, or the good run is none; else ""."""
    lay(folder / "unchanged", template)
    for words in (*READERS, RESUME):
        code, text = play_command(words, folder / "unchanged")
        if code != 0:
            return f"{' '.join(words)} gives {code} for the good run: {text[-1500:]}"
    for name, way in LEAVING_MARKS.items():
        place = folder / f"trusted-{name}"
        lay(place, template)
        leave_marks(place / "run")
        change_database(place / "run", way)
        code, text = play_command((*RESUME, *LARGER_BUDGET, "--trust"), place)
        if not has_run(place):
            return f"{name} of a run that is trusted leaves no mark ({code}): {text[-1500:]}"
    return ""


def play(number, seed, folder, template):
    """Play a case; return exit codes by command, what is wrong, and the changes."""
    rng = random.Random(f"{seed}/{number}")
    place = folder / f"case-{number}"
    run_dir, outside = place / "run", place / "outside"
    lay(place, template)
    # one at most changes the configuration: two could have the file and the database agree
    changes = list(dict.fromkeys(rng.choice(CHANGES) for _ in range(rng.choice((1, 1, 1, 2, 3)))))
    changes.sort(key=lambda one: one is change_files)  # to write into a pipe that it makes waits
    for change in changes:
        with contextlib.suppress(OSError, ValueError):  # an earlier change has taken its place
            change(run_dir, rng)
    is_larger = rng.random() < (0.7 if change_configuration in changes else 0.05)
    resume = (*RESUME, *LARGER_BUDGET) if is_larger else RESUME
    cwd = rng.choice(("run", "outside"))
    codes, wrong = [], []
    kept = tree(run_dir)
    for words in (*READERS, resume):
        before = tree(outside)
        began_s = time.monotonic()
        code, text = play_command(words, place, cwd)
        seconds = time.monotonic() - began_s
        codes.append((" ".join(words[:3:2]) if words[0] == "export" else words[0], code))
        checks = {
            f"exit code {code} after {seconds:.0f} s": code not in EXIT_CODES,
            "a traceback": "Traceback" in text,
            "something outside changed": tree(outside) != before,
            "a reader changed the run": words is not resume and tree(run_dir) != kept,
            "code of the directory ran": has_run(place),
        }
        found = [what for what, is_wrong in checks.items() if is_wrong]
        if found:
            wrong.append(f"{' '.join(words)}: {'; '.join(found)}: {text[-1500:]}")
    if not wrong:
        shutil.rmtree(place)
    return codes, wrong, [change.__name__ for change in changes]


def prepare(folder):
    """Make a library, a simulator that computes nothing and a good run; return the run."""
    (folder / "tmp").mkdir()
    # of a user who has the default library, which a changed configuration may name
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    open_library(Settings())
    (folder / "computes_nothing.py").write_text(
        "from molloop import Success\n\n\ndef simulate(smiles):\n    return Success(0.0)\n"
    )
    sys.path.insert(0, str(folder))
    (folder / "some.smi").write_text("\n".join("C" * k for k in range(1, 40)) + "\n")
    library = build_library(folder / "some.smi", folder / "library", n_processes=1)
    good_run(folder / "good", library)
    return folder / "good"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="Where cases that went wrong are kept.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        # in a process of its own: what it starts is no matter to the forks
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            template = pool.apply(prepare, (folder,))
        for name in IMPORTED:
            import_module(name)
        if why := refuted(folder, template):
            sys.exit(f"this benchmark shows nothing: {why}")
        began_s = time.monotonic()
        n_wrong, codes, changed = 0, Counter(), Counter()
        numbers = range(arguments.first, arguments.first + arguments.cases)
        job = partial(play, seed=arguments.seed, folder=folder, template=template)
        with multiprocessing.get_context("fork").Pool(arguments.processes) as pool:
            for number, (found, wrong, changes) in zip(
                numbers, pool.imap(job, numbers), strict=True
            ):
                codes.update(found)
                changed.update(changes)
                n_wrong += bool(wrong)
                for line in wrong:
                    print(f"case {number} ({', '.join(changes)}): {line}", flush=True)
        for command in dict.fromkeys(name for name, _ in codes):
            told = {
                code: n for (name, code), n in sorted(codes.items(), key=str) if name == command
            }
            print(f"{command}: exit codes {json.dumps(told)}")
        print("changes:", json.dumps(dict(changed.most_common())))
        n, seconds = arguments.cases, time.monotonic() - began_s
        print(
            f"{n - n_wrong} of {n} cases as they should be, {seconds:.0f} s, "
            f"{seconds * arguments.processes / max(n, 1):.1f} s a case and process"
        )
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()

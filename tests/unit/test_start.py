"""What a command says where the system gives it too little."""

import errno
import os
import resource
import signal
import subprocess
import sys
from contextlib import closing

import pytest
import typer
from small_run import STEPS, new_store
from typer.testing import CliRunner

from molloop import limits, start
from molloop.assembly import campaign as assembly
from molloop.cli import app
from molloop.cli.library import app as app_of_libraries
from molloop.config.settings import Settings
from molloop.errors import RunError

NO_THREAD = RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files", "a"), "open files ([Errno 24] Too many"),
        (OSError(errno.ENFILE, "Too many open files in system"), "open files"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "thread or process"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "not enough memory"),
        (MemoryError(), "not enough memory (MemoryError)"),
        (NO_THREAD, "No other thread or process can be started (can't start new thread)"),
        (ImportError("a.so: failed to map segment from shared object"), "not enough memory"),
        (ImportError("a.so: cannot open shared object file: Too many open files"), "open files"),
    ],
    ids=str,
)
def test_what_the_system_refuses_is_told_with_a_remedy(error, words):
    assert words in start.refusal(error)
    assert "`ulimit -" in start.refusal(error)
    assert "\n" not in start.refusal(error)
    wrapped = ImportError("numpy cannot be imported")
    wrapped.__cause__ = error
    assert start.refusal(wrapped) == start.refusal(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("a fault"),
        ImportError("No module named 'a'"),
    ],
    ids=str,
)
def test_what_is_no_lack_stays_what_it_is(error):
    assert start.refusal(error) is None
    with pytest.raises(type(error)), start.told_what_is_refused():
        raise error


def test_a_lack_is_a_line_and_exit_code_1(capfd):
    with pytest.raises(SystemExit) as caught, start.told_what_is_refused():
        raise NO_THREAD
    assert caught.value.code == 1
    line = capfd.readouterr().err
    assert line.startswith("molloop: No other thread")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("n_blas", "most", "threads", "refused"),
    [
        (2, resource.RLIM_INFINITY, "64", None),
        (2, 500 * 2**20, "1", None),
        (2, 499 * 2**20, "1", "500 MiB of address space here, and this process may have 499"),
        # another thread takes 40 MiB a library; there are no more threads than cores
        (2, 579 * 2**20, "", "580 MiB"),
        (2, 579 * 2**20, "4", "580 MiB"),
        (2, 580 * 2**20, "4", None),
        (1, 539 * 2**20, "4", "540 MiB"),
        (1, 540 * 2**20, "4", None),
        (0, 500 * 2**20, "4", None),
    ],
)
def test_address_space_is_asked_for_by_threads(monkeypatch, n_blas, most, threads, refused):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (most, most))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", threads)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if refused is None:
        limits.require_address_space("it", 500, n_blas)
    else:
        with pytest.raises(RunError, match=refused):
            limits.require_address_space("it", 500, n_blas)


def test_cores_are_counted_where_the_system_does_not_say_which_are_allowed(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert limits.available_cores() == 6


COMMANDS = sorted(
    (*path, name)
    for path, group in (((), app), (("library",), app_of_libraries))
    for name in typer.main.get_command(group).commands
    if name != "library"
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_needs_no_memory(monkeypatch, words):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**26, 2**26))
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        # of 64 threads, each but the first takes 40 MiB a library of linear algebra
        (["status", "."], 290 + 63 * 40),
        (["simulate", "C"], 480 + 63 * 80),
        (["library", "info", "."], 780 + 63 * 80),
        (["run"], 1360 + 63 * 80),
    ],
)
def test_a_command_asks_for_what_it_loads(monkeypatch, words, needed):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (2**26, 2**26))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(100)))
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    error = CliRunner().invoke(app, words).exception
    assert isinstance(error, RunError)
    assert f"needs {needed:,} MiB of address space here, and this process may have 64" in str(error)


def test_files_are_asked_for(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (48, 100))
    limits.require_files("it", 48)
    with pytest.raises(RunError, match=r"it needs 49 open files.* may have 48\..*ulimit -n 49"):
        limits.require_files("it", 49)


def test_a_run_asks_for_the_files_that_parsl_needs(monkeypatch, tmp_path):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (24, 24))
    with pytest.raises(RunError, match="Parsl needs 48 open files, and this process may have 24"):
        assembly.parsl_config(Settings(), tmp_path)


@pytest.fixture
def shell(tmp_path):
    """Run the command behind a line of the shell, in the folder of a small run."""
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)

    def run(line):
        text = line.replace("molloop", f"'{sys.executable}' -m molloop")
        return subprocess.run(
            ["/bin/sh", "-c", text], capture_output=True, text=True, check=False, cwd=tmp_path
        )

    return run


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("molloop status . --json <&-", 0, ""),
        ("molloop status . --json 2>&-", 0, ""),
        ("molloop status . >&-", 1, "standard output is closed"),
        ("molloop status . <&- >&- 2>&-", 1, ""),
        # a thread more takes 40 MiB: 290 and 40 are 330
        ("export OPENBLAS_NUM_THREADS=2; ulimit -v 340000; molloop status . --json", 0, ""),
        ("ulimit -v 200000; molloop status .", 1, "needs "),
        ("ulimit -v 36000; molloop status .", 1, "not enough memory"),
        ("ulimit -n 24; molloop watch .", 1, "open files"),
    ],
)
def test_too_little_is_a_line_and_exit_code_1(shell, line, code, told):
    done = shell(line)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert done.stderr.count("\n") == (1 if told else 0)
    assert ('"n_values": 4' in done.stdout) == (code == 0)


def test_no_file_gets_the_number_of_a_closed_stream():
    program = (
        "import os, sys; from molloop import start; start.open_standard_streams(); "
        "number = os.open(os.devnull, os.O_RDONLY); "
        "found = [os.path.sameopenfile(n, number) and os.get_inheritable(n) for n in (0, 2)]; "
        "print(number > 2, found, sys.stdin.read() == '', print('x', file=sys.stderr))"
    )
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" <&- 2>&-', "sh", sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True [True, True] True None\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_command_is_imported_ends_it_in_a_line(number):
    script = (
        "import sys, time\n"
        "from molloop import __main__, start\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'molloop.cli':\n"
        "            print('imports', flush=True); time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
        "__main__.main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "imports\n"
    process.send_signal(number)
    _, words = process.communicate(timeout=30)
    told = f"molloop: ended by {number.name}. Nothing was begun: give the same command again.\n"
    assert words == told
    assert process.returncode == 128 + number

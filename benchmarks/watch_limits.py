"""A page among strangers: `python benchmarks/watch_limits.py`.

The owner loads the page of a small run again and again, each time with a new connection, first
alone, then while 1,100 connections without the token stay idle or send a request byte by byte and
come back where they are closed. Printed are the owner's times, the server's log and open files. It
ends by itself after a minute or so, and speaks to this machine alone.
"""

import argparse
import contextlib
import http.client
import multiprocessing
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from small_run import STEPS, new_store

LIMITS = {"s": 1.0, "log kB": 100.0}
N_SLOW = 100  # of the strangers
PAUSE_S = 0.1
N_AT_ONCE = 200  # that are opened between two pauses
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: molloop=" + b"x" * 4096


def strangers(address, n, seconds, is_there, counts):
    """Keep n connections for some seconds; count those that were opened and closed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    n = min(n, hard - 100)
    ends_s = time.monotonic() + seconds
    found = {}
    n_closed = n_opened = 0
    while time.monotonic() < ends_s:
        for _ in range(min(N_AT_ONCE, n - len(found))):
            one = socket.socket()
            one.settimeout(0.5)
            with contextlib.suppress(OSError):
                one.connect(address)
                one.setblocking(False)
                found[one] = 0 if n_opened % n < N_SLOW else None  # bytes sent; None: idle
                n_opened += 1
        if n_opened >= n:
            is_there.set()
        for one, n_sent in list(found.items()):
            try:
                if n_sent is not None:
                    one.send(REQUEST[n_sent : n_sent + 1])
                    found[one] += 1
                is_closed = one.recv(1024) == b""
            except BlockingIOError:
                continue
            except OSError:
                is_closed = True
            if is_closed:
                one.close()
                del found[one]
                n_closed += 1
        time.sleep(PAUSE_S)
    counts[:] = n_opened, n_closed


def load(link, cookie):
    """Load the page as a new reader; return how long it took."""
    began_s = time.monotonic()
    connection = http.client.HTTPConnection(link.netloc, timeout=30)
    try:
        connection.request("GET", "/", headers={"Cookie": cookie})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        answer.read()
    finally:
        connection.close()
    return time.monotonic() - began_s


def login(link):
    """Return the cookie that the link gives."""
    connection = http.client.HTTPConnection(link.netloc, timeout=30)
    connection.request("GET", f"/?{link.query}")
    cookie = connection.getresponse().getheader("set-cookie").partition(";")[0]
    connection.close()
    return cookie


def loads(link, cookie, seconds):
    """Load the page again and again; return the times."""
    ends_s = time.monotonic() + seconds
    found = []
    while time.monotonic() < ends_s:
        found.append(load(link, cookie))
        time.sleep(PAUSE_S / 2)
    return found


def told(name, times):
    print(
        f"{name}: {len(times)} loads, median {statistics.median(times) * 1e3:.1f} ms, "
        f"most {max(times) * 1e3:.1f} ms"
    )


def measure(folder, n, seconds, n_files):
    """Print the owner's times alone and among strangers; return the longest and the log's size."""
    log = folder / "log"
    command = [sys.executable, "-m", "molloop", "watch", str(folder)]
    if n_files:
        command = ["sh", "-c", f'ulimit -n {n_files}; exec "$@"', "sh", *command]
    with (
        log.open("wb") as words,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, text=True) as process,
    ):
        try:
            link = urlsplit(process.stdout.readline().strip())
            cookie = login(link)
            alone = loads(link, cookie, seconds / 4)
            is_there, counts = multiprocessing.Event(), multiprocessing.Array("q", 2)
            address = link.hostname, link.port
            others = multiprocessing.Process(
                target=strangers, args=(address, n, seconds + 5, is_there, counts), daemon=True
            )
            others.start()
            is_there.wait(seconds)
            among = loads(link, cookie, seconds)
            n_open = psutil.Process(process.pid).num_fds()
            others.join(seconds + 30)
            after = loads(link, cookie, 2)
        finally:
            process.send_signal(signal.SIGINT)
    told("the owner alone", alone)
    told(f"beside {n:,} strangers", among)
    told("afterwards", after)
    size_kb = log.stat().st_size / 1e3
    print(f"strangers: {counts[0]:,} connections opened, {counts[1]:,} found closed")
    print(f"the server: {n_open} open files, {size_kb:.1f} kB of log")
    return {"s": max(among), "log kB": size_kb}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strangers", type=int, default=1100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--files", type=int, help="limit of the server's open files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        with contextlib.closing(new_store(Path(scratch))) as store:
            for time_s, *rest in STEPS:
                store.append(time_s, *rest)
        found = measure(
            Path(scratch), arguments.strangers, min(arguments.seconds, 60.0), arguments.files
        )
    if missed := [
        f"{name} {found[name]:.3g}" for name, most in LIMITS.items() if found[name] > most
    ]:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()

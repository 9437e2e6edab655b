"""The page of a run with 100,000 outcomes: `python benchmarks/page.py`.

Printed are the time to Chromium's first paint, from an outcome in the database to its number on the
page, the server's memory, the frozen page's size and time, and which share of the machine's time
the server takes while a page follows a run of QM9. It wants Playwright and Debian's chromium.
"""

import argparse
import contextlib
import csv
import gzip
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import expect, sync_playwright

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Began, Finished, Ranked, RankingBegan, Source, Submitted
from molloop.campaign.jobs import Simulated
from molloop.config.settings import Settings
from molloop.molecule import Geometry
from molloop.replay.table import locate
from molloop.simulate.outcome import Success
from molloop.store.records import Session
from molloop.store.run_dir import RunDir
from molloop.store.writer import Store

TABLE = locate("qm9-ie-20k")
BATCH = 200
N_WORKERS = 64
LIMITS = {"paint": 1.5, "event": 1.0, "MB": 200.0, "frozen": 10.0, "frozen MB": 10.0, "share": 0.01}


def command(*words):
    return [sys.executable, "-m", "molloop", *map(str, words)]


def rows():
    with gzip.open(TABLE, "rt", newline="") as file:
        return [
            (row["smiles"], float(row["ie_ev"])) for row in csv.DictReader(file) if row["ie_ev"]
        ]


def fill(folder, n):
    """Store a run of n outcomes; return its store, still open, and the next outcome."""
    table = rows()
    config = Settings.model_validate({"campaign": {"max_training_count": 2 * n}}).to_toml()
    facts = {"library": {"name": "qm9"}, "host": "here", "command": ["molloop", "run"]}
    store = Store.create(folder / "campaign.sqlite", Session("2026-11-24T12:00:00", config, facts))
    geometry = Geometry(np.ones(18, dtype="u1"), np.zeros((18, 3)))
    store.append(0.0, [Began(10 * n, 0)])

    def item(number, now_s):
        smiles, value = table[number % len(table)]
        outcome = Success({"ie": value}, {}, {"molecule": geometry}, (), 10.0)
        worker = f"node-{number % N_WORKERS}:1"
        return Simulated(
            number,
            number,
            "gfn2",
            smiles,
            number // BATCH,
            now_s,
            worker,
            now_s - 10,
            now_s,
            outcome,
        )

    for first in range(0, n, BATCH):
        now_s = first * 10 / N_WORKERS
        ids = tuple(range(first, first + BATCH))
        means = tuple(table[key % len(table)][1] + 0.1 for key in ids)
        before = [RankingBegan(first // BATCH, first)] * bool(first)
        ranked = [Ranked(first // BATCH, ids, means, (0.2,) * BATCH)] * bool(first)
        source = Source.RANKING if first else Source.INITIAL
        store.append(
            now_s,
            [*before, *ranked, Submitted(ids, source, first // BATCH), *map(Finished, ids)],
            [item(key, now_s + key / n) for key in ids],
            [Task(Work.RANK, "node-0:1", now_s, now_s + 1)] * bool(first),
        )
    return store, lambda: item(n, n * 10 / N_WORKERS + 100)


@contextlib.contextmanager
def watching(folder):
    """Serve a page on a run; yield the process and the link."""
    with subprocess.Popen(command("watch", folder), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)


def large(folder, n, browser):
    """Measure the page of a run of n outcomes."""
    found = {}
    store, next_item = fill(folder, n)
    with contextlib.closing(store), contextlib.closing(RunDir(folder, is_new=False)):
        began_s = time.monotonic()
        with watching(folder) as (process, link):
            print(f"{n:,} outcomes: the link is there after {time.monotonic() - began_s:.1f} s")
            page = browser.new_page()
            page.goto(link)
            paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            page.wait_for_function(paint)
            paint_ms = page.evaluate(paint)
            found["paint"] = paint_ms / 1000
            page.wait_for_timeout(2000)
            item = next_item()
            events = [Submitted((item.molecule_id,), Source.RANKING, 1), Finished(item.molecule_id)]
            began_s = time.monotonic()
            store.append(item.time_s, events, [item])
            values = page.get_by_role("progressbar", name="Values")
            expect(values).to_have_attribute("aria-valuenow", str(n + 1))
            found["event"] = time.monotonic() - began_s
            page.wait_for_timeout(3000)
            status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
            found["MB"] = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6
            page.close()
    out = folder / "page.html"
    began_s = time.monotonic()
    subprocess.run(command("report", folder, "--out", out), check=True, stdout=subprocess.DEVNULL)
    found["frozen"] = time.monotonic() - began_s
    found["frozen MB"] = out.stat().st_size / 1e6
    return found


def followed(folder, n):
    """Follow a run of QM9; return the share of the machine's time that the server took."""
    run = subprocess.Popen(
        command("run", "--run-dir", folder, "--max-training-count", n), stdout=subprocess.DEVNULL
    )
    while not (folder / "campaign.sqlite").exists():
        time.sleep(0.1)
    with watching(folder) as (process, link):
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.open(link).read()
        server = psutil.Process(process.pid)
        before, began_s = server.cpu_times(), time.monotonic()
        n_sent = 0
        events = opener.open(re.sub(r"/\?.*", "/events", link))
        for line in events:
            n_sent += line.startswith(b"event: sections")
            if b"The run has ended" in line:
                break
        after, ended_s = server.cpu_times(), time.monotonic()
    run.wait()
    used_s = after.user + after.system - before.user - before.system
    return used_s / (os.cpu_count() * (ended_s - began_s)), n_sent, ended_s - began_s


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outcomes", type=int, default=100_000)
    parser.add_argument("--simulations", type=int, default=3000)
    arguments = parser.parse_args()
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        (folder := Path(scratch) / "large").mkdir()
        found = large(folder, arguments.outcomes, browser)
        browser.close()
        print(f"first paint {found['paint']:.2f} s, an outcome on the page {found['event']:.2f} s")
        print(f"server {found['MB']:.0f} MB at its peak")
        print(f"frozen page {found['frozen']:.1f} s, {found['frozen MB']:.2f} MB")
        share, n_sent, seconds = followed(Path(scratch) / "followed", arguments.simulations)
        print(
            f"a run of {arguments.simulations:,} simulations, followed for {seconds:.0f} s, "
            f"{n_sent} times something new: {share:.2%} of the machine's time"
        )
    found["share"] = share
    missed = [f"{name} {found[name]:.3g}" for name, most in LIMITS.items() if found[name] > most]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()

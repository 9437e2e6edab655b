"""The driver on one host, its workers on another; the network between them fails for a while."""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import finish, has_values, read, slow, values, wait_for, words_of
from molloop_hosts import ADDRESS
from private_slurm import SYSTEM_PATH

from molloop.campaign.events import Lost

CUT_S = 20


def ip(*words):
    environment = os.environ | {"PATH": SYSTEM_PATH}
    subprocess.run(["ip", *words], check=True, capture_output=True, env=environment)


@pytest.fixture
def hosts(lacking):
    """Two network namespaces, joined by a cable."""
    if os.geteuid() != 0:
        lacking("not root: network namespaces cannot be made")
    names = (f"mla{os.getpid()}", f"mlb{os.getpid()}")
    cables = ("vethmla", "vethmlb")
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", names[0], "link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
        ip("-n", names[0], "link", "set", cables[1], "netns", names[1])
        for name, cable, address in zip(names, cables, (ADDRESS, "10.77.0.2"), strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", cable)
            ip("-n", name, "link", "set", cable, "up")
    except (OSError, subprocess.CalledProcessError) as error:
        lacking(f"no network namespaces ({error})")
    yield names, cables
    for name in names:
        with suppress(subprocess.CalledProcessError):
            ip("netns", "del", name)


def test_a_network_that_fails_for_a_while_loses_nothing(hosts, start, small_smi, tmp_path):
    (driver, workers), (cable, _) = hosts
    own = slow(tmp_path, 2)
    site = ("site.name=molloop_hosts:two_hosts", "site.worker_start_timeout_s=120")
    process = start(
        *("run", "--library", small_smi, "--max-training-count", 22, "--run-dir", "run"),
        *(*own, *words_of(*site)),
        extra={
            "PYTHONPATH": f"{tmp_path}:{Path(__file__).parent}",
            "MOLLOOP_HOST": workers,
            "MOLLOOP_TEST_RUN": str(tmp_path / "run"),
        },
        before=["ip", "netns", "exec", driver],
    )
    wait_for(has_values(tmp_path / "run", 6), 60, "six values")
    before = values(tmp_path / "run")
    ip("-n", driver, "link", "set", cable, "down")
    time.sleep(CUT_S)
    ip("-n", driver, "link", "set", cable, "up")
    finish(process)
    after = values(tmp_path / "run")
    assert len(after) == 22
    assert before.items() <= after.items()
    assert any(isinstance(one, Lost) for one in read(tmp_path / "run")[0])


def test_workers_that_cannot_reach_the_driver_end_the_run_with_their_words(
    hosts, start, small_smi, tmp_path
):
    (driver, workers), (cable, _) = hosts
    ip("-n", driver, "link", "set", cable, "down")
    process = start(
        *("run", "--library", small_smi, "--run-dir", "run"),
        *words_of("site.name=molloop_hosts:two_hosts", "site.worker_start_timeout_s=25"),
        extra={
            "PYTHONPATH": str(Path(__file__).parent),
            "MOLLOOP_HOST": workers,
            "MOLLOOP_TEST_RUN": str(tmp_path / "run"),
        },
        before=["ip", "netns", "exec", driver],
    )
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1, stderr
    assert f"No worker has started within 25 s; workers connect to {ADDRESS}" in stderr
    assert f"nothing answers at {ADDRESS}" in stderr  # of their log
    assert "Traceback" not in stderr

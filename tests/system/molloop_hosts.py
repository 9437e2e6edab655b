"""A site of a test's own: the workers on another host, which is a network namespace."""

import os
from pathlib import Path

from parsl.launchers import WrappedLauncher

from molloop.execution.parsl_config import parsl_config
from molloop.execution.site import Site

ADDRESS = "10.77.0.1"


def two_hosts():
    config = parsl_config(Site(workers=2), Path(os.environ["MOLLOOP_TEST_RUN"]))
    [executor] = config.executors
    executor.address, executor.all_addresses = ADDRESS, {ADDRESS}
    executor.provider.launcher = WrappedLauncher(f"ip netns exec {os.environ['MOLLOOP_HOST']}")
    return config

"""A private Slurm on this machine: daemons of its own, three nodes that are one host.

Debian's packages slurmctld, slurmd, slurm-client and munge; nothing of the system's is touched.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

SYSTEM_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NEEDED = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "munged")
NODES = ("n1", "n2", "n3")
START_S = 30.0
CONFIG = """
ClusterName=molloop
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool-%n
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=2
SlurmdParameters=config_overrides
SlurmdTimeout=20
ReturnToService=2
KillWait=30
MinJobAge=300
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
PlugStackConfig=/dev/null
{nodes}
PartitionName=all Nodes=n[1-3] Default=YES MaxTime=60 State=UP
"""


class Slurm:
    """The daemons, from `start` to `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}

    def start(self) -> None:
        host = socket.gethostname().partition(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={free_port()} CPUs=2 "
            "RealMemory=1000 State=UNKNOWN"
            for name in NODES
        )
        for name in ("state", "munge", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        facts = {"host": host, "user": user_name(), "folder": self.folder, "nodes": nodes}
        text = CONFIG.format(port=free_port(), **facts)
        (self.folder / "slurm.conf").write_text(text)
        self._start_munge()
        self.call("slurmctld", "-i")
        for node in NODES:
            self.start_node(node)
        self.wait_for_nodes(NODES)

    def _start_munge(self) -> None:
        folder = self.folder / "munge"
        folder.chmod(0o755)
        key = folder / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        files = {"socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={folder / name}" for option, name in files.items()]
        self.call("munged", f"--key-file={key}", "--num-threads=1", "--force", *options)

    def start_node(self, node: str) -> None:
        self.call("slurmd", "-N", node)

    def wait_for_nodes(self, nodes: tuple[str, ...]) -> None:
        until_s = time.monotonic() + START_S
        while True:
            idle = self.call("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()
            if set(nodes) <= set(idle):
                return
            assert time.monotonic() < until_s, self.call("sinfo", "-N", "-l") + self.logs()
            time.sleep(0.2)

    def logs(self) -> str:
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{path}:\n{path.read_text()[-2000:]}" for path in paths)

    def call(self, *words: object) -> str:
        done = subprocess.run(
            list(map(str, words)),
            env=os.environ | {"PATH": SYSTEM_PATH} | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{words}: {done.stderr}\n{self.logs()}"
        return done.stdout.strip()

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all that runs there, as a power cut does."""
        pid = int((self.folder / f"slurmd-{node}.pid").read_text())
        for one in [pid, *self.processes(node)]:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)

    def processes(self, node: str) -> list[int]:
        """Return what runs in jobs on a node."""
        marks = [f"SLURMD_NODENAME={node}".encode(), f"SLURM_CONF={self.folder}".encode()]
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    words = (entry / "environ").read_bytes()
                    if all(mark in words for mark in marks):
                        found.append(int(entry.name))
        return found

    def stop(self) -> None:
        with suppress(AssertionError, subprocess.TimeoutExpired):
            self.call("scancel", "-u", user_name())
            until_s = time.monotonic() + 15
            while self.call("squeue", "-h") and time.monotonic() < until_s:
                time.sleep(0.2)
        for path in [*self.folder.glob("*.pid"), self.folder / "munge" / "pid"]:
            with suppress(OSError, ValueError):
                os.kill(int(path.read_text()), signal.SIGTERM)


def missing() -> str:
    """Return what this machine lacks for it; nothing where all is there."""
    lacks = [name for name in NEEDED if find(name) is None]
    if lacks:
        return f"no {', '.join(lacks)}: install slurmctld, slurmd, slurm-client and munge"
    return "" if os.geteuid() == 0 else "slurmd wants to be root"


def find(name: str) -> str | None:
    return shutil.which(name, path=SYSTEM_PATH)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def user_name() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def expand(nodes: str) -> set[str]:
    """The names in Slurm's list of one to three of ours: n[1-2] or n[1,3] or n2."""
    first, _, rest = nodes.partition("[")
    if not rest:
        return {first}
    found = set()
    for part in rest.rstrip("]").split(","):
        least, _, most = part.partition("-")
        found |= {f"{first}{number}" for number in range(int(least), int(most or least) + 1)}
    return found

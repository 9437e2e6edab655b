"""What runs a job of the stand-in for PBS: server, scheduler and mom of it in one process."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from pbs_job import ROOT, SERVER, Job

KILL_DELAY_S = float(os.environ.get("PBS_STAND_IN_KILL_DELAY", "10"))
POLL_S = 0.1
DELETED, WALLTIME_OVER = 271, -29
MACHINE = ("HOME", "PATH", "LC_ALL", "PBS_STAND_IN", "HYDRA_LAUNCHER")


def main(name):
    job = Job(name)
    if not waits(job):
        return
    process = begin(job)
    job.note("R")
    exit_status = watch(job, process)
    job.note("E")
    signal_session(process.pid, signal.SIGKILL)
    job.note("F", exit_status)


def waits(job):
    """Wait until the job may begin; False where it never does."""
    before = [Job(one) for one in job.facts["after"]]
    while not job.n_deletions:
        # those that have ended well, or never ran, are looked for first: they settle it
        if any(not one.is_known and one.exit_status in (0, None) for one in before):
            break
        is_held = any(one.is_known for one in before) or "PBS_STAND_IN_HELD" in os.environ
        if not is_held and "PBS_STAND_IN_FULL" not in os.environ:
            return True
        job.note("H" if is_held else "Q")
        time.sleep(POLL_S)
    job.note("F")
    return False


def begin(job):
    """Start the script in a session of its own."""
    facts = job.facts
    nodes = job.folder / "nodes"
    nodes.write_text("".join(f"{node}\n" for node in facts["nodes"]))
    # PBS passes on next to nothing; the machine's own words are what a login there would have
    environment = {name: os.environ[name] for name in MACHINE if name in os.environ} | {
        "PBS_NODEFILE": str(nodes),
        "PBS_JOBID": job.name,
        "PBS_JOBNAME": facts["name"],
        "PBS_ENVIRONMENT": "PBS_BATCH",
        "PBS_O_WORKDIR": facts["cwd"],
        "NCPUS": facts["n_cpus"],
    }
    with Path(facts["output"]).open("a") as output:
        process = subprocess.Popen(
            ["bash", facts["script"]],
            env=environment,
            cwd=environment["HOME"],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    (job.folder / "session").write_text(str(process.pid))
    return process


def watch(job, process):
    """Wait for the script's end, and bring it about; return the job's exit status.

    Each deletion, and the end of its time, sends SIGTERM at once and SIGKILL some time later.
    """
    time_over_s = time.monotonic() + job.facts["seconds"]
    n_heard, kill_s, ended_by = 0, None, None
    while process.poll() is None:
        now_s = time.monotonic()
        is_deleted = job.n_deletions > n_heard
        if is_deleted or (now_s >= time_over_s and ended_by is None):
            n_heard = job.n_deletions
            ended_by = ended_by or (DELETED if is_deleted else WALLTIME_OVER)
            signal_session(process.pid, signal.SIGTERM)
            kill_s = now_s + KILL_DELAY_S
        if kill_s is not None and now_s >= kill_s:
            signal_session(process.pid, signal.SIGKILL)
            kill_s = None
        time.sleep(POLL_S)
    code = process.returncode
    return ended_by or (code if code >= 0 else 256 - code)


def signal_session(session, number):
    """Signal each process of a session, whatever its group; what began another one is spared."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if os.getsid(int(entry.name)) == session:
                    os.kill(int(entry.name), number)


if __name__ == "__main__":
    assert ROOT.is_dir()
    assert sys.argv[1].endswith(SERVER)
    main(sys.argv[1])

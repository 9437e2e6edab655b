"""What stands in for PBS, no package of Debian: qsub, qstat and qdel that run a script here.

Called with one of these names, it keeps a folder a job in $PBS_STAND_IN: the script's session, its
state and how it ended. A job has the nodes and the time that the script asks for.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(os.environ["PBS_STAND_IN"])
SERVER = "stand-in"
KILL_DELAY_S = 5
MACHINE = ("HOME", "PATH", "LC_ALL", "PBS_STAND_IN", "HYDRA_LAUNCHER")


def qsub(words):
    n_left = sum(state(one) != "F" for one in ROOT.glob("job-*"))
    if n_left >= int(os.environ.get("PBS_STAND_IN_LIMIT", "100")):
        sys.exit("qsub: would exceed queue's per-user limit")
    script = Path(words[-1])
    after = next((word.partition(":")[2] for word in words if word.startswith("depend=")), None)
    text = script.read_text()
    number = 1 + len(list(ROOT.glob("job-*")))
    folder = ROOT / f"job-{number}"
    folder.mkdir()
    select = re.search(r"^#PBS -l select=(\d+)", text, re.MULTILINE)
    output = re.search(r"^#PBS -o (.+)$", text, re.MULTILINE)
    walltime = re.search(r"^#PBS -l walltime=(\d+):(\d+):(\d+)", text, re.MULTILINE)
    hours, minutes, seconds = map(int, walltime.groups())
    facts = {
        "script": str(shutil.copy(script, folder / "script")),
        "nodes": [f"node{one}" for one in range(1, 1 + int(select[1]))],
        "output": output[1] if output else str(folder / "output"),
        "seconds": 3600 * hours + 60 * minutes + seconds,
        "after": after,
        "cwd": str(Path.cwd()),
    }
    (folder / "job.json").write_text(json.dumps(facts))
    note(folder, "Q")
    subprocess.Popen(
        [sys.executable, __file__, "serve", str(folder)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    print(f"{number}.{SERVER}")


def serve(words):
    """Wait for the job before, run the script, end it when its time is over."""
    folder = Path(words[0])
    facts = json.loads((folder / "job.json").read_text())
    before = [folder_of(one) for one in (facts["after"] or "").split(":") if one]
    # those that have ended well are looked for first: they settle it
    while (
        all(code(one) != 0 for one in before) and any(state(one) != "F" for one in before)
    ) or "PBS_STAND_IN_FULL" in os.environ:
        if (folder / "deleted").exists():
            note(folder, "F", 271)
            return
        time.sleep(0.2)
    if any(code(one) == 0 for one in before):
        note(folder, "F", 271)  # afternotok: deleted, as a job that is not needed any more
        return
    nodes = folder / "nodes"
    nodes.write_text("\n".join(facts["nodes"]) + "\n")
    # PBS passes on next to nothing; the machine's own words are what a login there would have
    environment = {name: os.environ[name] for name in MACHINE if name in os.environ} | {
        "PBS_NODEFILE": str(nodes),
        "PBS_JOBID": f"{folder.name.removeprefix('job-')}.{SERVER}",
        "PBS_O_WORKDIR": facts["cwd"],
    }
    with Path(facts["output"]).open("a") as output:
        job = subprocess.Popen(
            ["bash", facts["script"]],
            env=environment,
            cwd=environment["HOME"],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    (folder / "session").write_text(str(job.pid))
    note(folder, "R")
    try:
        ended = job.wait(facts["seconds"])
    except subprocess.TimeoutExpired:
        kill(job.pid)
        ended = 271
    note(folder, "F", ended)


def qstat(words):
    jobs = {}
    for name in (word for word in words if word.endswith(SERVER)):
        if not folder_of(name).exists():
            print(f"qstat: Unknown Job Id {name}", file=sys.stderr)
            continue
        letter = state(folder_of(name))
        jobs[name] = {"job_state": letter, "comment": f"state {letter} of a stand-in"}
    if "json" in words:
        print(json.dumps({"Jobs": jobs}))
        sys.exit(0 if len(jobs) == sum(word.endswith(SERVER) for word in words) else 153)
    for name, job in jobs.items():
        print(f"Job Id: {name}\n    job_state = {job['job_state']}\n    comment = {job['comment']}")


def qdel(words):
    for name in words:
        (folder_of(name) / "deleted").touch()
        with suppress(OSError, ValueError):
            kill(int((folder_of(name) / "session").read_text()))


def kill(session):
    with suppress(ProcessLookupError):
        os.killpg(session, signal.SIGTERM)
        time.sleep(KILL_DELAY_S)
        os.killpg(session, signal.SIGKILL)


def folder_of(name):
    return ROOT / f"job-{name.partition('.')[0]}"


def state(folder):
    return (folder / "state").read_text()


def code(folder):
    with suppress(OSError):  # it has none yet
        return int((folder / "code").read_text())


def note(folder, letter, ended=None):
    if ended is not None:
        (folder / "code").write_text(str(ended))
    unfinished = folder / "state.tmp"
    unfinished.write_text(letter)
    unfinished.replace(folder / "state")


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    {"qsub": qsub, "qstat": qstat, "qdel": qdel, "serve": serve}[name](rest)

"""What stands in for PBS, no package of Debian: qsub, qstat and qdel that run a script here.

Called with one of these names, it keeps a folder a job in $PBS_STAND_IN. Words, exit codes and
what a job meets are OpenPBS's: docs/sites/pbs.md says what was seen on a real server, and what was
read. As on a fresh server, there is no history. The environment says what is otherwise:

PBS_STAND_IN_HISTORY     the server keeps jobs that have ended
PBS_STAND_IN_LIMIT       so many jobs a user may have there
PBS_STAND_IN_FULL        no job begins
PBS_STAND_IN_HELD        every job is held
PBS_STAND_IN_KILL_DELAY  seconds from SIGTERM to SIGKILL (10)

A file `down` in $PBS_STAND_IN: the server cannot be reached.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pbs_job import KEEPS_HISTORY, ROOT, SERVER, Job, all_jobs

# error numbers of PBS (15001, ...), of which an exit code keeps the last eight bits
UNKNOWN_JOB, FINISHED_JOB, NO_SERVER = 153, 35, 255
MOM = Path(__file__).with_name("pbs_mom.py")


def main():
    name, *words = sys.argv[1:]
    if (ROOT / "down").exists():
        say(f"{name}: cannot connect to server {SERVER} (errno=111)")
        sys.exit(NO_SERVER)
    sys.exit({"qsub": qsub, "qstat": qstat, "qdel": qdel}[name](words))


def say(text):
    print(text, file=sys.stderr)


def qsub(words):
    if sum(job.is_known for job in all_jobs()) >= int(os.environ.get("PBS_STAND_IN_LIMIT", "100")):
        say("qsub: would exceed queue's per-user limit")
        return 1
    job = Job(str(1 + len(all_jobs())))
    job.folder.mkdir()
    after = next((word for word in words if word.startswith("depend=afternotok:")), "")
    facts = requested(Path(words[-1]), job) | {"after": after.split(":")[1:]}
    (job.folder / "job.json").write_text(json.dumps(facts))
    print(job.name)
    if is_refused(facts["after"]):
        job.note("F")  # the server takes it, and aborts it
        return 0
    job.note("H" if facts["after"] else "Q")
    subprocess.Popen(
        [sys.executable, MOM, job.name],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return 0


def requested(script, job):
    """Return what a script asks for by its directives."""
    text = script.read_text()

    def option(pattern, default=None):
        found = re.search(rf"^#PBS {pattern}", text, re.MULTILINE)
        return found[1] if found else default

    chunks, *resources = option(r"-l select=(\S+)").split(":")
    resources = dict(one.split("=") for one in resources)
    hours, minutes, seconds = map(int, option(r"-l walltime=(\S+)").split(":"))
    # a line of the node file a process of MPI: one a chunk where it does not say how many
    nodes = [f"node{one}" for one in range(1, 1 + int(chunks))]
    return {
        "script": str(shutil.copy(script, job.folder / "script")),
        "name": option(r"-N (.+)$", script.name),
        "nodes": [node for node in nodes for _ in range(int(resources.get("mpiprocs", 1)))],
        "n_cpus": resources.get("ncpus", "1"),
        "output": option(r"-o (.+)$", str(job.folder / "output")),
        "seconds": 3600 * hours + 60 * minutes + seconds,
        "cwd": str(Path.cwd()),
    }


def is_refused(after):
    """Whether a job waits for one that the server does not know, or that has ended well."""
    ended = [Job(one) for one in after if not Job(one).is_known]
    return any(not job.is_in_history or job.exit_status in (0, None) for job in ended)


def qstat(words):
    is_json = "json" in words
    found, code = {}, 0
    if "-B" in words:
        server = {"server_state": "Active"} | (
            {"job_history_enable": "True"} if KEEPS_HISTORY else {}
        )
        found = {"Server": {SERVER: server}}
    for job in (Job(word) for word in words if word[0].isdigit()):
        if "-x" in words and not KEEPS_HISTORY:
            say(f"qstat: PBS is not configured to maintain job history {job.name}")
        elif job.is_known or (job.is_in_history and "-x" in words):
            found.setdefault("Jobs", {})[job.name] = job.attributes()
        elif job.is_in_history:
            say(
                f"qstat: {job.name} Job has finished, use -x or -H to obtain historical job "
                "information"
            )
            code = FINISHED_JOB
        else:
            say(f"qstat: Unknown Job Id {job.name}")
            code = UNKNOWN_JOB
    if is_json:
        print(json.dumps({"timestamp": 0, "pbs_version": "23.06.06", "pbs_server": SERVER} | found))
    else:
        for name, attributes in found.get("Jobs", {}).items():
            lines = [f"    {key} = {value}" for key, value in attributes.items()]
            print("\n".join([f"Job Id: {name}", *lines]))
    return code


def qdel(words):
    code = 0
    for job in map(Job, words):
        if job.is_known:
            job.delete()
        elif job.is_in_history:
            say(f"qdel: Job has finished {job.name}")
            code = FINISHED_JOB
        else:
            say(f"qdel: Unknown Job Id {job.name}")
            code = UNKNOWN_JOB
    return code


if __name__ == "__main__":
    main()

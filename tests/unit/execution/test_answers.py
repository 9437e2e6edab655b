"""What schedulers say of a job, in the words that OpenPBS 23.06 and Slurm 22.05 use."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsl.jobs.states import JobState, JobStatus

from molloop.execution.answers import (
    Unsaid,
    ended,
    not_taken_back,
    read_qstat,
    read_slurm,
)
from molloop.execution.schedulers import SCHEDULERS, ask_pbs, ask_slurm

HEAD = {"timestamp": 1764374400, "pbs_version": "23.06.06", "pbs_server": "server"}
NO_HISTORY = "qstat: PBS is not configured to maintain job history 1.server\n"
UNKNOWN = "qstat: Unknown Job Id 1.server\n"
FINISHED = "qstat: 1.server Job has finished, use -x or -H to obtain historical job information\n"
NO_SERVER = "qstat: cannot connect to server server (errno=111)\n"


def told(**attributes):
    return json.dumps(HEAD | {"Jobs": {"1.server": attributes}})


NOTHING = json.dumps(HEAD)


@pytest.mark.parametrize(
    ("code", "output", "errors", "expected"),
    [
        *((0, told(job_state=letter), "", JobState.PENDING) for letter in "QHWTSU"),
        *((0, told(job_state=letter), "", JobState.RUNNING) for letter in "RB"),
        *((0, told(job_state=letter), "", Unsaid.ENDED) for letter in "EFX"),
        *((0, told(job_state=letter, Exit_status=0), "", JobState.COMPLETED) for letter in "EFX"),
        (0, told(job_state="F", Exit_status=271), "", JobState.CANCELLED),
        (0, told(job_state="F", Exit_status=-29), "", JobState.TIMEOUT),
        (0, told(job_state="F", Exit_status=1), "", JobState.FAILED),
        # a job that runs once more has the status of its last time
        (0, told(job_state="R", Exit_status=-20), "", JobState.RUNNING),
        (0, told(job_state="M"), "", Unsaid.SILENT),
        (0, told(job_state="?"), "", Unsaid.SILENT),
        (0, told(comment="no state"), "", Unsaid.SILENT),
        (153, NOTHING, UNKNOWN, Unsaid.GONE),
        (35, NOTHING, FINISHED, Unsaid.ENDED),
        # -x of a server without a history, whatever the job does
        (0, NOTHING, NO_HISTORY, Unsaid.SILENT),
        (255, NOTHING, NO_SERVER, Unsaid.SILENT),
        (255, "", "Connection refused\n" + NO_SERVER, Unsaid.SILENT),
        (127, "", "sh: 1: qstat: not found\n", Unsaid.SILENT),
        (0, '{"Jobs": {"1.server": {"comment": "\\e"}}}', "", Unsaid.SILENT),
        (0, "[]", "", Unsaid.SILENT),
        (0, '{"Jobs": []}', "", Unsaid.SILENT),
        (0, '{"Jobs": {"1.server": "R"}}', "", Unsaid.SILENT),
        (0, told(job_state=["R"]), "", Unsaid.SILENT),
    ],
)
def test_what_qstat_says(code, output, errors, expected):
    found = read_qstat(code, output, errors)
    assert (found.state if isinstance(found, JobStatus) else found) == expected


@given(st.integers(0, 255), st.text(), st.text())
def test_qstat_may_say_anything(code, output, errors):
    found = read_qstat(code, output, errors)
    assert found in Unsaid  # no text by chance is the JSON of a job


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just("R"),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["Jobs", "1.server", "job_state", "Exit_status"]), inner, max_size=2
            )
        ),
    )
)
def test_json_of_any_kind_is_no_traceback(value):
    found = read_qstat(0, json.dumps(value), "")
    assert isinstance(found, JobStatus) or found in Unsaid


class Commands:
    """A scheduler that answers one command after the other."""

    def __init__(self, *answers):
        self.asked = []
        self.answers = list(answers)

    def __call__(self, command):
        self.asked.append(command)
        answer = self.answers.pop(0)
        if answer is None:
            raise subprocess.TimeoutExpired(command, 120)
        return answer


def state(answer):
    return answer.state if isinstance(answer, JobStatus) else answer


@pytest.mark.parametrize(
    ("in_history", "expected"),
    [
        ((0, told(job_state="F", Exit_status=271), ""), JobState.CANCELLED),
        ((0, NOTHING, NO_HISTORY), Unsaid.ENDED),
        ((255, NOTHING, NO_SERVER), Unsaid.ENDED),
        (None, Unsaid.ENDED),
    ],
)
def test_history_is_asked_only_for_a_job_that_has_finished(in_history, expected):
    ask = Commands((35, NOTHING, FINISHED), in_history)
    assert state(ask_pbs(["1.server"], ask)["1.server"]) == expected
    assert ask.asked == ["qstat -f -F json 1.server", "qstat -x -f -F json 1.server"]


def test_a_job_that_runs_is_not_looked_for_in_the_history():
    ask = Commands((0, told(job_state="R"), ""), (153, NOTHING, UNKNOWN))
    found = ask_pbs(["1.server", "2.server"], ask)
    assert [state(one) for one in found.values()] == [JobState.RUNNING, Unsaid.GONE]
    assert not any("-x" in command for command in ask.asked)


def test_a_server_that_hangs_is_asked_once():
    ask = Commands((0, told(job_state="Q"), ""), None)
    found = ask_pbs(["1.server", "2.server", "3.server"], ask)
    assert list(map(state, found.values())) == [JobState.PENDING, Unsaid.SILENT, Unsaid.SILENT]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1 PENDING", JobState.PENDING),
        ("1 SUSPENDED", JobState.PENDING),
        ("1 REQUEUED", JobState.PENDING),
        ("1 RUNNING", JobState.RUNNING),
        ("1 COMPLETING", JobState.RUNNING),
        ("1 COMPLETED", JobState.COMPLETED),
        ("1 CANCELLED by 1000", JobState.CANCELLED),
        ("1            NODE_FAIL ", JobState.FAILED),
        ("1 TIMEOUT", JobState.TIMEOUT),
        ("1 PREEMPTED", JobState.TIMEOUT),
        ("1 REVOKING", Unsaid.SILENT),
        ("1", Unsaid.SILENT),
        ("2 RUNNING", Unsaid.GONE),
        ("", Unsaid.GONE),
    ],
)
def test_what_slurm_says(line, expected):
    found = read_slurm(["1"], 0, f"{line}\n", "")
    assert list(found) == ["1"]
    assert state(found["1"]) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((1, "", "slurm_load_jobs error: Invalid job id specified\n"), Unsaid.GONE),
        ((1, "", "slurm_load_jobs error: Unable to contact slurm controller\n"), Unsaid.SILENT),
        (None, Unsaid.SILENT),
    ],
)
def test_slurm_without_an_answer(answer, expected):
    ask = Commands(answer)
    assert ask_slurm(["1", "2"], ask) == {"1": expected, "2": expected}
    [command] = ask.asked
    assert "--states=all" in command  # what has failed, too
    assert command.endswith("--job 1,2")


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        (0, JobState.COMPLETED, None),
        (7, JobState.FAILED, "its script ended with 7"),
        (143, JobState.CANCELLED, "SIGTERM"),
        (None, JobState.FAILED, "neither the scheduler nor its script says why"),
    ],
)
def test_how_a_job_ended_by_its_script(code, expected, words):
    found = ended(code)
    assert (found.state, found.exit_code) == (expected, code)
    assert words is None or words in found.message


@pytest.mark.parametrize(
    ("name", "code", "errors", "left"),
    [
        ("pbs", 0, "", []),
        ("pbs", 35, "qdel: Job has finished 1.s\n", []),
        ("pbs", 153, "qdel: Unknown Job Id 1.s\nqdel: Job has finished 2.s\n", []),
        ("pbs", 159, "qdel: Job has finished 1.s\nqdel: Unauthorized Request 2.s\n", ["2.s"]),
        ("pbs", 1, "Couldn't connect to cluster: server\n", ["1.s", "2.s"]),
        ("pbs", 127, "", ["1.s", "2.s"]),
        (
            "slurm", 1,
            "scancel: error: Kill job error on job id 1.s: Invalid job id specified\n",
            [],
        ),
        (
            "slurm", 1,
            "scancel: error: Kill job error on job id 1.s: "
            "Job/step already completing or completed\n",
            [],
        ),
        ("slurm", 1, "scancel: error: Unable to contact slurm controller\n", ["1.s", "2.s"]),
    ],
)  # fmt: skip
def test_jobs_that_had_ended_are_taken_back(name, code, errors, left):
    found = not_taken_back(["1.s", "2.s"], code, errors, SCHEDULERS[name].over)
    assert list(found) == left

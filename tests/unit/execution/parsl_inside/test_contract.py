"""What molloop leans on in Parsl's inside, looked at in the Parsl that is installed.

A failure says what is no longer so, which module needs it, and where in Parsl to look. Once it is
mended, or where nothing fails in a newer version, raise SEEN and the bound in pyproject.toml.
"""

import ast
import base64
import importlib
import inspect
import logging
import sys
import time
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from packaging.version import Version

import molloop
from molloop.execution.parsl_inside import SEEN
from molloop.execution.parsl_inside.losses import words_of

VERSION = metadata.version("parsl")
ROOM = Path(molloop.__file__).parent / "execution"
PROJECT = Path(__file__).parents[4] / "pyproject.toml"
HTEX = "executors/high_throughput"
# what Parsl's reference names, or what a documented interface is given or returns
DOCUMENTED = {
    "parsl",
    "parsl.executors",
    "parsl.executors.base",
    "parsl.executors.high_throughput.errors",
    "parsl.executors.status_handling",
    "parsl.dataflow.taskrecord",
    "parsl.jobs.states",
    "parsl.launchers",
    "parsl.launchers.base",
    "parsl.logconfigs.file",
    "parsl.providers",
    "parsl.providers.base",
}
WORKER_TIMEOUT_S = 60
LOCK_TIMEOUT_S = 10


def holds(is_so, expected, used_in, look_at):
    """Fail in words where Parsl is not as a module needs it."""
    assert is_so, (
        f"Parsl {VERSION} has changed: expected {expected}. "
        f"molloop/execution/{used_in} leans on it. Look at parsl/{look_at}."
    )


def has(owner, name, used_in, look_at):
    """Return an attribute; fail in words where it is not there."""
    kind = owner if inspect.isclass(owner) or inspect.ismodule(owner) else type(owner)
    holds(hasattr(owner, name), f"{kind.__name__}.{name}", used_in, look_at)
    return getattr(owner, name)


def is_let_go(lock):
    """Whether a lock can be had: Parsl's own threads may hold it for a moment."""
    if is_free := lock.acquire(timeout=LOCK_TIMEOUT_S):
        lock.release()
    return is_free


def imports():
    """Return the module, the name and the place of everything that is imported from Parsl."""
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "parsl":
                for alias in node.names:
                    yield node.module, alias.name, str(path.relative_to(ROOM))


def test_the_version_is_one_that_was_seen():
    first, end = SEEN
    assert Version(first) <= Version(VERSION) < Version(end), (
        f"Parsl {VERSION} was not tested, only {first}; before {end} it is taken as it is. If all "
        "other tests of this file pass with it, raise SEEN in molloop/execution/parsl_inside and "
        "the bound in pyproject.toml; otherwise mend what they say first."
    )
    wanted = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    assert f"parsl>={first},<{end}" in wanted, (
        f"pyproject.toml asks for other versions than SEEN, {first} to before {end}."
    )


@pytest.mark.parametrize("path", sorted((ROOM / "parsl_inside").glob("[!_]*.py")), ids=str)
def test_every_module_says_in_which_version_it_was_seen(path):
    told = ast.get_docstring(ast.parse(path.read_text()))
    assert f"Seen in Parsl {SEEN[0]}: " in told


def test_what_leans_on_parsl_s_inside_lies_in_one_folder():
    for module, name, place in imports():
        assert module in DOCUMENTED or place.startswith("parsl_inside/"), (
            f"{place} imports {name} from {module}, which Parsl's reference does not name: what "
            "needs it belongs into execution/parsl_inside, and a test into this file."
        )


@pytest.mark.parametrize(("module", "name", "place"), list(imports()))
def test_what_is_imported_is_there(module, name, place):
    look_at = module.replace(".", "/").removeprefix("parsl/")
    try:
        found = importlib.import_module(module)
    except ImportError:
        found = None
    holds(found is not None, f"a module {module}", place, look_at)
    has(found, name, place, look_at)


def test_the_commands_that_start_its_processes():
    from parsl.executors.high_throughput import executor

    used_in, look_at = "parsl_inside/commands.py", f"{HTEX}/executor.py"
    command = has(executor, "DEFAULT_LAUNCH_CMD", used_in, look_at)
    begins = "process_worker_pool.py "
    holds(
        command.startswith(begins), f"DEFAULT_LAUNCH_CMD to begin with {begins}", used_in, look_at
    )
    options = inspect.getsource(executor.HighThroughputExecutor.initialize_scaling)
    for field in ("addresses", "worker_port", "logdir"):
        expected = f"{field} among what the launch command is formatted with"
        holds(f"{field}=" in options, expected, used_in, look_at)
    expected = "DEFAULT_LAUNCH_CMD to have --drain_period={drain_period}"
    holds("--drain_period={drain_period}" in command, expected, "parsl_inside/pool.py", look_at)


@pytest.mark.parametrize(
    ("module", "used_in"),
    [
        ("process_worker_pool", "parsl_inside/worker_pool.py"),
        ("interchange", "parsl_inside/interchange.py"),
    ],
)
def test_its_processes_are_modules_that_run_as_programs(module, used_in):
    spec = find_spec(f"parsl.executors.high_throughput.{module}")
    expected = f"a module {module} that runs as a program"
    is_so = spec is not None and 'if __name__ == "__main__":' in Path(spec.origin).read_text()
    holds(is_so, expected, used_in, f"{HTEX}/{module}.py")


def test_the_last_drain_period_counts_and_may_be_none():
    source = Path(find_spec("parsl.executors.high_throughput.process_worker_pool").origin)
    text, used_in = source.read_text(), "parsl_inside/pool.py"
    holds('"--drain_period"' in text, "an option --drain_period", used_in, f"{HTEX}/{source.name}")
    expected = "--drain_period=None to mean that a pool never drains"
    is_so = 'args.drain_period == "None"' in text
    holds(is_so, expected, used_in, f"{HTEX}/{source.name}")


def test_a_lost_pool_names_its_host():
    from parsl.executors.high_throughput.errors import ManagerLost

    used_in, look_at = "parsl_inside/losses.py", f"{HTEX}/errors.py"
    error = ManagerLost(b"a manager", "node7")
    is_so = has(error, "hostname", used_in, look_at) == "node7"
    holds(is_so, "ManagerLost.hostname to be the host's name", used_in, look_at)


def test_an_executor_that_is_given_up_says_so():
    from parsl.executors import HighThroughputExecutor

    used_in, look_at = "blocks.py and parsl_inside/health.py", "executors/status_handling.py"
    executor = HighThroughputExecutor(address="127.0.0.1")
    why = ValueError("three in vain")
    has(executor, "set_bad_state_and_fail_all", used_in, look_at)(why)
    is_set = has(executor, "bad_state_is_set", used_in, look_at) is True
    holds(is_set, "bad_state_is_set to be True then", used_in, look_at)
    is_kept = has(executor, "executor_exception", used_in, look_at) is why
    holds(is_kept, "executor_exception to be the reason", used_in, look_at)


def test_the_state_of_a_job():
    from parsl.jobs.states import JobState, JobStatus

    used_in, look_at = "answers.py", "jobs/states.py"
    for name in ("PENDING", "RUNNING", "COMPLETED", "CANCELLED", "TIMEOUT", "FAILED", "HELD"):
        has(JobState, name, used_in, look_at)
    failed = JobStatus(JobState.FAILED, "why", 3)
    found = [has(failed, name, used_in, look_at) for name in ("state", "message", "exit_code")]
    expected = "JobStatus(state, message, exit_code)"
    holds(found == [JobState.FAILED, "why", 3], expected, used_in, look_at)
    is_over = failed.terminal and not JobStatus(JobState.HELD).terminal
    holds(is_over, "FAILED to be terminal, and HELD not", used_in, look_at)


@pytest.fixture(params=["SlurmProvider", "PBSProProvider"])
def provider(request, monkeypatch, tmp_path):
    """A provider that has asked a scheduler for a job; the scheduler takes everything."""
    from parsl import providers
    from parsl.launchers import SimpleLauncher
    from parsl.providers.cluster_provider import ClusterProvider

    answer = "Submitted batch job 17\n" if request.param == "SlurmProvider" else "17\n"
    has(ClusterProvider, "execute_wait", "parsl_inside/jobs.py", "providers/cluster_provider.py")
    monkeypatch.setattr(ClusterProvider, "execute_wait", lambda *_: (0, answer, ""))
    noted = []
    kind = getattr(providers, request.param)
    write = has(kind, "_write_submit_script", "parsl_inside/paced.py", look_at_provider(kind))

    def note(self, *words):
        noted.append(words)
        write(self, *words)

    monkeypatch.setattr(kind, "_write_submit_script", note)
    made = kind(launcher=SimpleLauncher(), worker_init="module load mine")
    made.script_dir = str(tmp_path)
    job = made.submit("the pool", 1, "block")
    return made, job, noted


def look_at_provider(kind):
    return f"{kind.__module__.removeprefix('parsl.').replace('.', '/')}.py"


def test_a_provider_keeps_a_book_of_its_jobs(provider, tmp_path):
    made, job, noted = provider
    used_in, look_at = "parsl_inside/paced.py", look_at_provider(type(made))
    holds(job == "17", "submit to return the job's number as a text", used_in, look_at)
    book = has(made, "resources", "parsl_inside/jobs.py", look_at)
    holds(list(book) == ["17"], "resources to have the job's number as a key", used_in, look_at)
    keys = {"status", "job_stdout_path", "job_stderr_path"}
    holds(keys <= set(book["17"]), f"resources['17'] to have {sorted(keys)}", used_in, look_at)
    holds(not book["17"]["status"].terminal, "a new job not to have ended", used_in, look_at)
    script = Path(book["17"]["job_stdout_path"].removesuffix(".stdout"))
    expected = "job_stdout_path to be the script's path and .stdout"
    holds(script.parent == tmp_path and script.is_file(), expected, used_in, look_at)
    [(_, path, _, configs)] = noted
    expected = "_write_submit_script(template, path of the script, name, values)"
    holds(Path(path) == script, expected, used_in, look_at)
    expected = "worker_init among the values, and in the script"
    is_so = "module load mine" in configs.get("worker_init", "")
    holds(is_so and "module load mine" in script.read_text(), expected, used_in, look_at)


def test_a_provider_is_asked_by_what_its_subclass_replaces(provider, monkeypatch):
    made, job, _ = provider
    used_in, look_at = "parsl_inside/paced.py", look_at_provider(type(made))
    asked = []
    monkeypatch.setattr(type(made), "_status", lambda _: asked.append(1))
    [status] = made.status([job])
    is_so = asked == [1] and status is made.resources[job]["status"]
    expected = "status to call _status and to return what resources has"
    holds(is_so, expected, used_in, "providers/cluster_provider.py")
    is_read = isinstance(inspect.getattr_static(made, "status_polling_interval"), property)
    holds(is_read, "status_polling_interval to be a property", used_in, look_at)


def test_slurm_s_provider_says_by_which_command_it_asks(monkeypatch):
    from parsl.providers import SlurmProvider

    used_in, look_at = "parsl_inside/paced.py", "providers/slurm/slurm.py"
    for code, command in ((0, "sacct"), (1, "squeue")):
        monkeypatch.setattr(SlurmProvider, "execute_wait", lambda *_, code=code: (code, "", ""))
        asks = has(SlurmProvider(), "_cmd", used_in, look_at)
        expected = f"_cmd to begin with {command} where sacct ends with {code}"
        holds(asks.startswith(command), expected, used_in, look_at)


def test_no_block_is_asked_for_beyond_a_provider_s_max_blocks():
    from parsl.jobs import strategy

    is_read = "provider.max_blocks" in inspect.getsource(strategy)
    expected = "the strategy to read max_blocks each time: 0 has it ask for no other block"
    holds(is_read, expected, "parsl_inside/paced.py (stop_asking)", "jobs/strategy.py")


def test_mpiexec_s_list_of_nodes():
    from parsl.launchers import MpiExecLauncher

    script = MpiExecLauncher()("the pool", 1, 2, "/scripts")
    for line in ('HOSTFILE="$JOBNAME.nodes"', 'SCRIPT_DIR="/scripts"'):
        expected = f"MpiExecLauncher to write {line}"
        holds(line in script, expected, "parsl_inside/launcher.py", "launchers/launchers.py")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Parsl's kernel, an executor with one worker that has done a task, and that task's result."""
    import parsl
    from parsl.dataflow.dflow import DataFlowKernel
    from parsl.executors import HighThroughputExecutor
    from parsl.executors.high_throughput.executor import DEFAULT_LAUNCH_CMD
    from parsl.logconfigs.file import FileLogging
    from parsl.providers import LocalProvider

    module = f"{sys.executable} -m parsl.executors.high_throughput"
    executor = HighThroughputExecutor(
        label="workers",
        address="127.0.0.1",
        max_workers_per_node=1,
        cores_per_worker=0.001,
        launch_cmd=DEFAULT_LAUNCH_CMD.replace(
            "process_worker_pool.py", f"{module}.process_worker_pool"
        ),
        interchange_launch_cmd=f"{module}.interchange".split(),
        provider=LocalProvider(init_blocks=1, max_blocks=1),
    )
    folder = tmp_path_factory.mktemp("parsl")
    logs = FileLogging(level=logging.WARNING)  # molloop's
    config = parsl.Config(
        [executor], run_dir=str(folder), strategy_period=0.1, initialize_logging=logs
    )
    kernel = DataFlowKernel(config)
    submit = has(executor, "submit_payload", "parsl_inside/handing_out.py", f"{HTEX}/executor.py")
    future = submit({"task_executor": {"f": "base64.b64encode"}}, b"water")
    yield kernel, executor, future
    left_open = list(logging.getLogger("parsl").handlers)
    kernel.cleanup()
    for handler in left_open:
        if isinstance(handler, logging.FileHandler) and str(folder) in handler.baseFilename:
            handler.close()


def test_a_worker_calls_a_function_by_its_name_with_bytes(running):
    _, _, future = running
    is_so = future.result(WORKER_TIMEOUT_S) == base64.b64encode(b"water")
    expected = "submit_payload to have a worker call a function by its name with bytes"
    holds(is_so, expected, "parsl_inside/handing_out.py", f"{HTEX}/process_worker_pool.py")


def test_a_kernel_hands_out_under_a_lock(running):
    kernel, executor, _ = running
    used_in, look_at = "parsl_inside/handing_out.py", "dataflow/dflow.py"
    lock = has(kernel, "submitter_lock", used_in, look_at)
    is_held = "with self.submitter_lock:" in inspect.getsource(type(kernel).launch_task)
    is_so = is_held and is_let_go(lock)
    holds(is_so, "tasks to be submitted under it, and no longer", used_in, look_at)
    found = has(kernel, "executors", "parsl_inside/kernels.py", look_at)
    is_so = found.get("workers") is executor
    holds(is_so, "executors by their labels", "parsl_inside/kernels.py", look_at)
    is_up = has(kernel, "cleanup_called", "parsl_inside/kernels.py", look_at) is False
    holds(is_up, "cleanup_called to be False", "parsl_inside/kernels.py", look_at)


def test_a_task_says_whether_it_was_handed_out(running):
    import parsl
    from parsl.dataflow.states import States

    kernel, _, _ = running
    used_in, look_at = "parsl_inside/handing_out.py", "dataflow/futures.py"
    future = parsl.python_app(base64.b64encode, data_flow_kernel=kernel)(b"water")
    told = has(future, "task_status", used_in, look_at)()
    holds(told in States.__members__, "task_status to name a member of States", used_in, look_at)
    has(States, "pending", used_in, "dataflow/states.py")
    future.result(WORKER_TIMEOUT_S)
    holds(future.task_status() != "pending", "what has run not to be pending", used_in, look_at)


def test_an_executor_s_sockets_and_their_lock(running):
    import zmq

    _, executor, _ = running
    used_in, look_at = "parsl_inside/kernels.py", f"{HTEX}/zmq_pipes.py"
    client = has(executor, "command_client", used_in, f"{HTEX}/executor.py")
    outgoing = has(executor, "outgoing_q", used_in, f"{HTEX}/executor.py")
    is_free = is_let_go(has(client, "_lock", used_in, look_at))
    holds(is_free, "the lock to be held only while a question is asked", used_in, look_at)
    holds("with self._lock:" in inspect.getsource(type(client).run),
          "CommandClient.run to hold its _lock", used_in, look_at)  # fmt: skip
    kind = has(client, "zmq_socket", used_in, look_at).get(zmq.TYPE)
    holds(kind == zmq.REQ, "command_client.zmq_socket to be of the type REQ", used_in, look_at)
    for pipe in (client, outgoing):
        is_socket = isinstance(has(pipe, "zmq_socket", used_in, look_at), zmq.Socket)
        holds(is_socket, "zmq_socket to be a socket of zmq", used_in, look_at)
    has(has(client, "zmq_context", used_in, look_at), "term", used_in, look_at)


def test_an_executor_tells_of_its_processes(running):
    _, executor, future = running
    future.result(WORKER_TIMEOUT_S)
    used_in, look_at = "parsl_inside/health.py", f"{HTEX}/executor.py"
    interchange = has(executor, "interchange_proc", used_in, look_at)
    holds(
        interchange.poll() is None, "interchange_proc to be a process that runs", used_in, look_at
    )
    receiver = has(executor, "_result_queue_thread", used_in, look_at)
    holds(receiver.is_alive(), "_result_queue_thread to be a thread that runs", used_in, look_at)
    managers = has(executor, "connected_managers", used_in, look_at)()
    holds(len(managers) == 1, "connected_managers() to list a manager a node", used_in, look_at)
    blocks = has(executor, "status_facade", used_in, "executors/status_handling.py")
    is_so = list(blocks) == ["0"] and not blocks["0"].terminal
    holds(is_so, "status_facade by numbers of blocks", used_in, "executors/status_handling.py")


def test_workers_are_spawned(running):
    _, executor, future = running
    future.result(WORKER_TIMEOUT_S)
    option = f"--logdir={executor.worker_logdir}"
    [pool] = [
        one for one in psutil.process_iter(["cmdline"]) if option in (one.info["cmdline"] or ())
    ]
    is_so = any("multiprocessing.spawn" in " ".join(one.cmdline()) for one in pool.children())
    expected = "a pool to start its workers by multiprocessing.spawn"
    holds(is_so, expected, "parsl_inside/pool.py", f"{HTEX}/process_worker_pool.py")


def test_where_its_logs_lie(running):
    _, executor, future = running
    future.result(WORKER_TIMEOUT_S)
    folder, look_at = Path(executor.run_dir), f"{HTEX}/process_worker_pool.py"
    until_s = time.monotonic() + 10
    while not (found := list(folder.glob("workers/block-0/*/*.log"))):
        if time.monotonic() > until_s:
            break
        time.sleep(0.05)
    expected = "workers' logs in LABEL/block-NUMBER/*/*.log of the run directory"
    holds(bool(found), expected, "parsl_inside/health.py", look_at)
    scripts = folder / "submit_scripts"
    holds(any(scripts.iterdir()), "scripts in submit_scripts of the run directory",
          "parsl_inside/health.py", "dataflow/dflow.py")  # fmt: skip
    logs = has(executor, "worker_logdir", "parsl_inside/losses.py", f"{HTEX}/executor.py")
    is_so = Path(logs) == folder / "workers"
    expected = "worker_logdir to be the folder of the workers' logs"
    holds(is_so, expected, "parsl_inside/losses.py", f"{HTEX}/executor.py")


def test_a_task_whose_inputs_failed_leads_to_the_first_failure():
    from parsl.dataflow.errors import DependencyError

    first = OSError("no space left")
    error = DependencyError([(DependencyError([(first, "task 1")], 2), "task 2")], 3)
    expected = "__cause__ of a DependencyError to be what failed first"
    holds(error.__cause__ is first, expected, "parsl_inside/losses.py", "dataflow/errors.py")
    assert words_of(error) == "OSError: no space left"
    assert words_of(first) == "OSError: no space left"

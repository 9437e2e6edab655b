"""What a run needs where it will run, what is wrong there, and how to mend it."""

import fcntl
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from molloop.assembly.campaign import check_simulator, parsl_config
from molloop.assembly.site import site_of
from molloop.campaign.engine import Group, Simulations
from molloop.config.settings import Settings
from molloop.errors import InputError, MolloopError
from molloop.execution.allocation import current_allocation
from molloop.execution.schedulers import SCHEDULERS
from molloop.execution.site import Site
from molloop.molecule import Molecule
from molloop.sandbox.worker import run_group
from molloop.simulate.outcome import Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.task import SimulationTask
from molloop.simulate.versions import told
from molloop.simulate.versions import versions as versions_of
from molloop.store.run_dir import PACKAGES, RunDir
from molloop.texts import counted

# GFN2-xTB, relaxed: as on the machine that README's values are from
REFERENCE, REFERENCE_IE_EV, TOLERANCE_EV = Molecule(0, "O"), 18.2940, 0.002
LEAST_FREE_BYTES = 2**30
WAIT_S = 1.0
QUEUE_TIMEOUT_S = 600.0
SERVER_TIMEOUT_S = 60.0
ASK_PBS = ("qstat", "-B", "-f", "-F", "json")  # any user may
LOCKED = 3
LOCKS = ("flock", "lockf")  # of the run directory, of its database
TRY_LOCK = f"""
import fcntl, sys
try:
    getattr(fcntl, sys.argv[2])(open(sys.argv[1], "r+b"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit({LOCKED})
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what
        The thing.
    is_ok
        Whether a run can do with it.
    told
        What was found.
    remedy
        What to do, where it cannot.
    """

    what: str
    is_ok: bool
    told: str
    remedy: str = ""


def examine(
    settings: Settings, run_dir: Path, *, asks_scheduler: bool = False
) -> Iterator[Finding]:
    """Look at everything in turn; each finding as soon as it is there.

    Parameters
    ----------
    run_dir
        Where runs will be; it is made if need be, and what is written there is removed.
    asks_scheduler
        Whether a job may be asked for, to see whether a worker answers.

    Raises
    ------
    InputError
        The site is a file that cannot be used.
    """
    site_of(settings.site)  # before anything takes time
    yield versions()
    yield simulation()
    yield from level(settings)
    yield free_disk(run_dir)
    yield locks(run_dir)
    yield scheduler(settings)
    yield from server(settings)
    yield worker(settings, run_dir, asks_scheduler)


def versions() -> Finding:
    """Import what a run needs."""
    found = []
    for name in PACKAGES:
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:
            told = f"{name} cannot be imported ({type(error).__name__}: {error})"
            return Finding("packages", False, told, "Install molloop into an environment anew.")
        found.append(f"{name} {metadata.version(name)}")
    return Finding("packages", True, ", ".join(found))


def simulation() -> Finding:
    """Simulate a molecule whose IE is known."""
    what, remedy = "simulation", "Install tblite and RDKit anew: their libraries may not fit."
    try:
        task = SimulationTask(SimulationProtocol())
        [outcome] = run_group([REFERENCE], task).outcomes
    except OSError as error:
        told = f"no process can be started here ({error})"
        return Finding(what, False, told, "Make space on the disk, or end other processes.")
    if not isinstance(outcome, Success):
        return Finding(what, False, f"{outcome.kind}: {outcome.message}", remedy)
    told = f"water's IE is {outcome.value:.4f} eV in {outcome.seconds:.2f} s"
    is_ok = abs(outcome.value - REFERENCE_IE_EV) <= TOLERANCE_EV
    return Finding(what, is_ok, f"{told}; {REFERENCE_IE_EV:.4f} eV is right", remedy)


def level(settings: Settings) -> Iterator[Finding]:
    """Look whether what a level of DFT is computed by is there."""
    for protocol in settings.protocols():
        if not protocol.packages:
            continue
        try:
            check_simulator(protocol)
        except InputError as error:
            yield Finding("level", False, error.remedy, "Install it where the workers run.")
            continue
        yield Finding("level", True, told([versions_of(protocol.packages)]))


def free_disk(run_dir: Path) -> Finding:
    """Look how much can be written where runs will be."""
    existing = next(
        one for one in (run_dir.absolute(), *run_dir.absolute().parents) if one.exists()
    )
    free = shutil.disk_usage(existing).free
    told = f"{free / 1e9:.1f} GB free in {existing}"
    return Finding("disk", free >= LEAST_FREE_BYTES, told, "Make space, or run elsewhere.")


def locks(run_dir: Path) -> Finding:
    """Lock a run directory as a run does, and see that another process finds it locked."""
    what, remedy = "run directory", "Choose one on another file system with --run-dir."
    try:
        with _scratch(run_dir) as folder, closing(RunDir(folder)):
            is_locked = all(_is_seen_by_others(folder / name, name) for name in LOCKS)
    except (MolloopError, OSError) as error:
        return Finding(what, False, str(error), remedy)
    told = f"{run_dir} can be written, " + ("locks work" if is_locked else "locks do not work")
    return Finding(what, is_locked, told, remedy)


def _is_seen_by_others(path: Path, name: str) -> bool:
    with path.open("wb") as file:
        getattr(fcntl, name)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = subprocess.run([sys.executable, "-c", TRY_LOCK, str(path), name], check=False)
    return done.returncode == LOCKED


def scheduler(settings: Settings) -> Finding:
    """Look whether the site's settings are whole, and its scheduler's commands are there."""
    what, site = "site", site_of(settings.site)
    if site.scheduler and current_allocation() is None:
        commands = SCHEDULERS[site.scheduler].commands
        missing = [one for one in commands if shutil.which(one) is None]
        if missing:
            told = f"{site.name}: no command {', '.join(missing)}"
            return Finding(what, False, told, "Log in to the site, or name another with --site.")
    try:
        config = parsl_config(settings, Path("/tmp/molloop"))
    except MolloopError as error:
        return Finding(what, False, str(error), "Set it in the configuration, or with --set.")
    [executor] = config.executors
    return Finding(what, True, f"{site.name}: workers connect to {executor.address}")


def server(settings: Settings) -> Iterator[Finding]:
    """Ask a PBS server that gives allocations whether it remembers jobs that have ended."""
    is_pbs = site_of(settings.site).scheduler == "pbs"
    if not is_pbs or current_allocation() is not None or shutil.which(ASK_PBS[0]) is None:
        return
    what, remedy = "PBS server", "Is this a login node of the site, and is the server up?"
    try:
        done = subprocess.run(
            ASK_PBS, capture_output=True, text=True, check=False, timeout=SERVER_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding(what, False, f"it cannot be asked ({error})", remedy)
        return
    attributes = server_attributes(done.stdout)
    if done.returncode or attributes is None:
        told = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        yield Finding(what, False, f"it says nothing of itself ({told})", remedy)
        return
    # what is not set is not shown, and is off
    is_on = str(attributes.get("job_history_enable", False)) == "True"
    yield Finding(
        what,
        True,
        "job_history_enable is on: it says how jobs have ended"
        if is_on
        else "job_history_enable is off: it forgets jobs when they end; how an allocation ended is "
        "taken from its script",
    )


def server_attributes(output: str) -> dict[str, Any] | None:
    """Return what ``qstat -B -f -F json`` says of the one server; None where it says nothing."""
    try:
        [attributes] = json.loads(output)["Server"].values()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return attributes if isinstance(attributes, dict) else None


def worker(settings: Settings, run_dir: Path, asks_scheduler: bool) -> Finding:
    """Have a worker simulate a molecule, through all that a run goes through."""
    from molloop.execution.parsl_engine import ParslEngine

    what, site = "worker", site_of(settings.site)
    is_outside = site.function or (site.scheduler and current_allocation() is None)
    if is_outside and not asks_scheduler:
        told = (
            f"not tried, nor whether nodes see {run_dir}: it takes a job; --ask-scheduler has one "
            "asked for"
        )
        return Finding(what, True, told)
    n_nodes = _n_nodes(site)
    timeout_s = site.worker_start_timeout_s
    began_s = time.monotonic()
    try:
        with (
            _scratch(run_dir) as folder,
            closing(
                ParslEngine(
                    parsl_config(settings, folder),
                    folder / "scratch",
                    timeout_s,
                    site.queue_timeout_s or QUEUE_TIMEOUT_S,
                )
            ) as engine,
        ):
            engine.simulate(Group((REFERENCE,), SimulationProtocol()))
            while not (ended := engine.wait(WAIT_S)):
                pass
            answered_s = time.monotonic()
            while engine.n_nodes() < n_nodes and time.monotonic() - answered_s < timeout_s:
                time.sleep(WAIT_S)
            n_there = engine.n_nodes()
    except (MolloopError, OSError) as error:
        return Finding(what, False, str(error), "See docs/sites for what a site needs.")
    if n_there < n_nodes:
        told = f"workers answer on {n_there:,} of {counted(n_nodes, 'node')}"
        return Finding(what, False, told, f"Do all of them see {run_dir.absolute()}?")
    done = ended[0]
    is_ok = isinstance(done, Simulations) and isinstance(done.outcomes[0], Success)
    told = f"{done.worker} answered" if isinstance(done, Simulations) else f"lost: {done}"
    return Finding(what, is_ok, f"{told} after {answered_s - began_s:.1f} s", "Look at its log.")


def _n_nodes(site: Site) -> int:
    """Return how many nodes should have workers."""
    allocation = current_allocation()
    if not site.scheduler:
        return 1
    return site.nodes or (allocation.nodes if allocation else 1)


@contextmanager
def _scratch(run_dir: Path) -> Iterator[Path]:
    """Yield a folder in the run directory, which is removed again if it was not there."""
    made = [one for one in (run_dir, *run_dir.parents) if not one.exists()]
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix="doctor-", dir=run_dir.absolute(), ignore_cleanup_errors=True
        ) as name:
            yield Path(name)
    finally:
        for one in made:
            with suppress(OSError):
                one.rmdir()

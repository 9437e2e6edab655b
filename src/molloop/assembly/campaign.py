"""A configuration becomes what it names: schedule, engine, driver, reports."""

import logging
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molloop import limits, results
from molloop.assembly.reports import write_reports
from molloop.assembly.schedule import make_course
from molloop.assembly.site import site_for
from molloop.campaign.driver import Driver, Listener
from molloop.campaign.ending import Interruption
from molloop.campaign.engine import Engine
from molloop.campaign.events import End
from molloop.campaign.warm_start import WarmStart
from molloop.config.settings import Settings
from molloop.errors import InputError, MolloopError, RunError
from molloop.library.manifest import REJECTS
from molloop.library.selection import Selection
from molloop.library.shards import Library
from molloop.registry import is_reference
from molloop.results import Results
from molloop.search.policy import is_own
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import SIMULATORS, Origin, origin_of, simulator_named
from molloop.store.disk import what_is_there
from molloop.store.records import MAX_CONFIG, Session, versions_of
from molloop.store.run_dir import environment
from molloop.store.writer import Store
from molloop.surrogate.registry import SETTING

if TYPE_CHECKING:
    from molloop.execution.parsl_engine import ParslEngine

LOG = logging.getLogger("molloop")
LOG.addHandler(logging.NullHandler())  # silent until the user's program asks for it


def cores() -> int:
    """Return how many cores this process may use."""
    return limits.available_cores()


def check_simulators(protocols: Iterable[SimulationProtocol]) -> None:
    """Raise InputError where the simulator of a stage cannot be used."""
    for one in protocols:
        check_simulator(one)


def check_simulator(protocol: SimulationProtocol) -> None:
    """Raise InputError where a simulator of others, or a level of DFT, cannot be used."""
    from molloop.sandbox.guard import Guard
    from molloop.simulate.task import SimulationTask

    is_own = protocol.simulator in SIMULATORS
    if is_own and not protocol.packages:
        return
    with closing(Guard()) as guard:  # importing it runs a user's code
        obstacle = guard.check(SimulationTask(protocol))
    if obstacle and is_own:
        level = protocol.options["level"]
        raise InputError("simulation.level", level, "a level that can be computed here", obstacle)
    if obstacle:
        expected = "a simulator that can be used here"
        raise InputError("property.simulator", protocol.simulator, expected, obstacle)


def check_model(settings: Settings) -> None:
    """Raise InputError where a policy's model cannot be imported, here or by a worker."""
    name, policy = settings.search.policy, settings.policy()
    if is_own(name):
        return
    code = f"from molloop.surrogate.registry import model_class; model_class({policy.model!r})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise InputError(
            SETTING,
            name,
            "a model that workers can import, which begin in another folder",
            f"Importing it fails there: {reason}. Is its folder on PYTHONPATH?",
        )


def make_session(settings: Settings, library: Library) -> Session:
    """Return what the store keeps of this process; InputError where it does not keep so much."""
    config = settings.to_toml()
    if len(config) > MAX_CONFIG:
        raise InputError(
            "configuration",
            f"{len(config):,} letters",
            f"{MAX_CONFIG:,} at most",
            "Put what is long, such as site.worker_init, into a file of its own.",
        )
    began_at = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    origin = _origin_of(settings.property.simulator)
    packages = {name: None for one in settings.protocols() for name in one.packages}
    facts = environment(library.describe(), origin, packages)
    return Session(began_at, config, facts)


def titled(settings: Settings) -> Settings:
    """Return a configuration with the title that a registered simulator gives its quantity.

    A run stores it: who reads the run imports no simulator.
    """
    chosen = settings.property
    if settings.objectives or chosen.title:
        return settings
    if chosen.simulator in SIMULATORS or is_reference(chosen.simulator):
        return settings
    with _importing(chosen.simulator):
        title = simulator_named(chosen.simulator).title_of(chosen.name, chosen.unit)
    return settings.model_copy(update={"property": chosen.model_copy(update={"title": title})})


def _origin_of(simulator: str) -> Origin | None:
    with _importing(simulator):
        return origin_of(simulator)


@contextmanager
def _importing(simulator: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # another package's may raise here what it did not there
        raise InputError(
            "property.simulator",
            simulator,
            "a simulator that can be used here",
            f"Importing it fails: {type(error).__name__}: {error}.",
        ) from error


def parsl_config(settings: Settings, run_dir: Path) -> Any:
    """Return Parsl's configuration of a site.

    Raises
    ------
    InputError
        The path does not suit it, or the site cannot be used.
    RunError
        This process may open too few files.
    """
    from molloop.execution import parsl_config

    limits.require_files("Parsl", limits.PARSL_FILES)
    return parsl_config.parsl_config(site_for(settings), run_dir.absolute() / "parsl")


@dataclass(frozen=True)
class Campaign:
    """What a configuration names, put together."""

    settings: Settings
    folder: Path
    store: Store
    library: Library
    warm_start: WarmStart
    selection: Selection | None = None
    remarks: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    ranks_anew: bool = False

    def run(self, listener: Listener | None, interruption: Interruption | None) -> Results:
        """Run it, and write what was found, however it ends."""
        interruption = interruption or Interruption()
        LOG.info("%s: a session began, of %s molecules", self.folder, self.library.n_molecules)
        try:
            with closing(self._engine()) as engine:
                interruption.abandon = engine.abandon
                self._driver(engine, listener, interruption).run()
        except BaseException as error:  # a signal too: what was found is written however it ends
            LOG.error("%s: the session ended by an error: %s", self.folder, error)
            self._report_beside(error)
            raise
        finally:
            interruption.abandon = None
        found = self._found()
        if found.stopped is not None:
            end, why = found.stopped.end.value, found.stopped.reason
            LOG.info("%s: the session ended, %s: %s", self.folder, end, why)
        if found.stopped is not None and found.stopped.end is End.FAILED:
            failed = RunError(self._why(found.stopped.reason), _REMEDY)
            self._report_beside(failed)
            raise failed
        found = self._write(found)
        if interruption.reason:
            return found  # whoever ends it may not wait until models are fitted
        return self._with_accuracy(found)

    def _engine(self) -> "ParslEngine":
        from molloop.execution.parsl_engine import ParslEngine

        site = site_for(self.settings)
        return ParslEngine(
            parsl_config(self.settings, self.folder),
            self.folder / "scratch",
            site.worker_start_timeout_s,
            site.queue_timeout_s or inf,
            site.worker_cores,
        )

    def _driver(
        self, engine: Engine, listener: Listener | None, interruption: Interruption
    ) -> Driver:
        settings, protocols = self.settings, self.settings.protocols()
        course = make_course(
            settings,
            self.selection or Selection.of_all(self.library),
            engine.n_workers(),
            protocols,
            site_for(settings).worker_cores,
        )
        return Driver(
            engine,
            self.store,
            self.library,
            course.schedule,
            settings.policy(),
            settings.objective(),
            protocols[0],
            self.warm_start,
            settings.campaign.seed,
            listener or (lambda *_: None),
            interruption,
            settings.campaign.grace_s,
            settings.stopping.time_limit_s or inf,
            changes=self.changes,
            selection=self.selection,
            remarks=self.remarks,
            ranks_anew=self.ranks_anew,
            above=course.above,
            stopping=course.stopping,
            goal=settings.goal().wider,
        )

    def _found(self) -> Results:
        return replace(
            results.read(self.store, self.settings.goal(), *self.settings.protocols()),
            library=self.library,
            versions=versions_of(self.store.sessions()),
            n_rejected=self.library.manifest.counts.invalid,
            rejects=str(self.library.folder / REJECTS),
        )

    def _why(self, reason: str) -> str:
        found = [
            one
            for protocol in self.settings.protocols()
            for one in self.store.failures(protocol.stage)
        ]
        failures = "; ".join(f"{n} x {kind}: {message}" for kind, message, n in found)
        return f"The run stopped: {reason} ({failures})."

    def _write(self, found: Results) -> Results:
        try:
            settings = self.settings
            return write_reports(
                found, self.library, self.folder, settings.policy(), settings.campaign.seed
            )
        except OSError as error:
            raise RunError(
                f"Tables and figures cannot be written ({error}).", what_is_there(self.store.path)
            ) from error

    def _report_beside(self, ended: BaseException) -> None:
        """Write what a run has found that ended by an error; another one is a note to it."""
        try:
            self._write(self._found())
        except Exception as error:  # whatever it is, it may not hide why the run has ended
            LOG.exception("%s: tables and figures cannot be written", self.folder)
            told = str(error)
            if not isinstance(error, MolloopError):
                told = f"Tables and figures cannot be written ({type(error).__name__}: {error})."
            if told != str(ended):
                ended.add_note(told)

    def _with_accuracy(self, found: Results) -> Results:
        from molloop.report.model_error import with_accuracy

        settings = self.settings
        return with_accuracy(found, self.library, settings.policy(), settings.campaign.seed)


_REMEDY = "Try some of the library's molecules with `molloop simulate`."

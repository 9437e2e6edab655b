"""What a run stores, and the rows of its tables: a writer or reader each.

A reader raises ValueError where a row holds what no run has stored.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Event
from molloop.campaign.jobs import Known, Simulated
from molloop.molecule import Geometry
from molloop.simulate.outcome import (
    LARGEST_COUNT,
    LARGEST_VALUE,
    Calculation,
    Failure,
    Outcome,
    Success,
)
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.rules import storable
from molloop.simulate.validation import checked
from molloop.simulate.versions import told
from molloop.store.events import decode
from molloop.store.stored import read_count, read_json, read_number, read_one_of, read_text

MAX_CONFIG = 200_000  # letters
MAX_TIME_S = 1e15  # a replay of 10^6 simulations of the longest
NO_CELLS = "{}"
NO_FLAGS = "[]"
JOB_COLUMNS = (
    "proposal, molecule_id, stage, smiles, name, batch, time_s, worker, began_s, ended_s, seconds, "
    "flags, failure_kind, failure_message"
)
KNOWN_COLUMNS = "smiles, value, molecule_id, level, name, flags, charge, n_unpaired, further"
# the parts of outcomes: table -> its columns beside proposal and place
PARTS = {
    "job_values": "quantity, value",
    "calculations": "name, charge, n_unpaired, method, energy_ev, geometry, solvent, n_steps",
    "geometries": "name, numbers, positions_angstrom",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A process that runs the campaign: the first one began it, others resumed it.

    Attributes
    ----------
    began_at
        Date and time, ISO 8601.
    config
        The resolved configuration, as TOML.
    environment
        What it runs on, and with which versions.
    """

    began_at: str
    config: str
    environment: dict[str, Any]


def versions_of(sessions: Iterable[Session]) -> str:
    """Return the versions by which the processes of a run have computed values, in words."""
    return told([one.environment.get("packages", {}) for one in sessions])


@dataclass(frozen=True, slots=True)
class Stage:
    """What jobs of a stage were computed by: a level of theory, and how much of its protocol."""

    name: str
    level: str
    fidelity: str


def stage_of(protocol: SimulationProtocol) -> Stage:
    """Return what is stored of the stage in which jobs are simulated by a protocol."""
    return Stage(protocol.stage, protocol.outcome_level, protocol.outcome_fidelity)


Row = Sequence[Any]


def rows_of(items: Iterable[Simulated]) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of some outcomes, by the tables that they belong to."""
    rows: dict[str, list[tuple[object, ...]]] = {name: [] for name in ("jobs", "molecules", *PARTS)}
    for item in items:
        outcome, number = item.outcome, item.proposal
        job = (number, item.molecule_id, item.stage, item.batch, item.time_s, item.worker)
        times = (item.began_s, item.ended_s, outcome.seconds)
        kept = json.dumps(dict(item.kept)) if item.kept else NO_CELLS
        rows["molecules"].append((item.molecule_id, item.smiles, item.name, kept))
        if isinstance(outcome, Failure):
            failure = (storable(outcome.kind), storable(outcome.message))
            rows["jobs"].append((*job, *times, None, *failure))
            continue
        flags = json.dumps(outcome.flags) if outcome.flags else NO_FLAGS
        rows["jobs"].append((*job, *times, flags, None, None))
        for place, one in enumerate(outcome.named.items()):
            rows["job_values"].append((number, place, *one))
        if not (outcome.calculations or outcome.geometries):
            continue
        rows["calculations"] += [
            (number, place, name, one.charge, one.n_unpaired, one.method, one.energy_ev,
             one.geometry, one.solvent, one.n_steps)
            for place, (name, one) in enumerate(outcome.calculations.items())
        ]  # fmt: skip
        rows["geometries"] += [
            (
                *(number, place, name, one.numbers.astype("u1").tobytes()),
                one.positions_angstrom.astype("<f8").tobytes(),
            )
            for place, (name, one) in enumerate(outcome.geometries.items())
        ]
    return rows


class _Environment(BaseModel):
    """What readers look at of an environment; it may say more."""

    model_config = ConfigDict(strict=True, extra="allow")

    host: str = ""
    pid: int = 0
    command: list[str] = []
    packages: dict[str, str] = {}
    library: dict[str, Any] = {}
    simulator: dict[str, Any] | str | None = None  # a checksum alone in schema 3


_ENVIRONMENT = TypeAdapter(_Environment)
_FLAGS = TypeAdapter(tuple[str, ...])
_CELLS = TypeAdapter(dict[str, str])
_NUMBERS = TypeAdapter(dict[str, float])


def read_event(row: Row) -> tuple[float, Event]:
    """Read time, kind and body of the table `events`."""
    time_s, kind, body = row
    return read_time(time_s), decode(read_text(kind, "kind of an event"), body)


def read_session(row: Row) -> Session:
    """Read a row of the table `sessions`."""
    began_at, config, environment = row
    if len(read_text(config, "configuration")) > MAX_CONFIG:
        raise ValueError(f"configuration: expected {MAX_CONFIG} letters at most")
    facts = read_json(_ENVIRONMENT, environment, "environment").model_dump(exclude_unset=True)
    return Session(read_text(began_at, "beginning of a process"), config, facts)


def read_stage(row: Row) -> Stage:
    """Read a row of the table `stages`."""
    name, level, fidelity = row
    texts = (read_text(name, "stage"), read_text(level, "level"), read_text(fidelity, "fidelity"))
    return Stage(*texts)


def read_task(row: Row) -> Task:
    """Read a row of the table `tasks`."""
    work, worker, began_s, ended_s = row
    kind = Work(read_one_of(work, Work, "work"))
    return Task(kind, read_text(worker, "worker"), read_clock(began_s), read_clock(ended_s))


def known_row(one: Known) -> tuple[object, ...]:
    """Return the row of the table `known` of a value."""
    flags = json.dumps(one.flags) if one.flags else NO_FLAGS
    further = json.dumps(one.further, sort_keys=True) if one.further else NO_CELLS
    said = (one.level, one.name, flags, one.charge, one.n_unpaired, further)
    return one.smiles, one.value, one.molecule_id, *said


def read_known(row: Row) -> Known:
    """Read a row of the table `known`."""
    smiles, value, molecule_id, level, name, flags, charge, n_unpaired, further = row
    key = None if molecule_id is None else read_count(molecule_id, "molecule id")
    return Known(
        read_text(smiles, "SMILES"),
        read_value(value),
        key,
        read_text(level, "level"),
        read_text(name, "name"),
        read_json(_FLAGS, flags, "flags"),
        None if charge is None else int(read_number(charge, "charge", LARGEST_COUNT)),
        None if n_unpaired is None else read_count(n_unpaired, "unpaired electrons"),
        _read_further(further),
    )


def _read_further(text: object) -> dict[str, float]:
    found = {} if text == NO_CELLS else read_json(_NUMBERS, text, "further values")
    return {name: read_value(value) for name, value in found.items()}


def read_cells(row: Row) -> tuple[int, str, dict[str, str]]:
    """Read molecule id, name and kept cells of the table `molecules`."""
    key, name, kept = row
    cells = {} if kept == NO_CELLS else read_json(_CELLS, kept, "kept columns")
    return read_count(key, "molecule id"), read_text(name, "name"), cells


def read_value(value: object) -> float:
    """Read a value of a quantity."""
    return read_number(value, "value", LARGEST_VALUE)


def read_time(value: object) -> float:
    """Read a time in seconds from the beginning of a run."""
    return read_number(value, "time", MAX_TIME_S, least=0.0)


def read_clock(value: object) -> float:
    """Read the same by the clock of a worker, which may go wrong."""
    return read_number(value, "time of a worker", MAX_TIME_S)


def read_outcome(
    row: Row, values: Sequence[Row], calculations: Sequence[Row], geometries: Sequence[Row]
) -> Simulated:
    """Read `JOB_COLUMNS` of the tables `jobs` and `molecules`, and what belongs to that job.

    An outcome is checked by the rules by which it was taken in.
    """
    (proposal, molecule_id, stage, smiles, title, batch, time_s, worker, began_s, ended_s, seconds,
     flags, kind, message) = row  # fmt: skip
    outcome: Outcome
    if kind is not None:
        if values:
            raise ValueError(f"proposal {proposal} has failed and has values")
        outcome = Failure(kind, message, seconds)
    else:
        outcome = Success(
            _by_name((read_text(name, "quantity"), value) for name, value in values),
            _by_name(map(_calculation, calculations)),
            _by_name(map(_geometry, geometries)),
            read_json(_FLAGS, flags, "flags"),
            seconds,
        )
    return Simulated(
        read_count(proposal, "proposal"),
        read_count(molecule_id, "molecule id"),
        read_text(stage, "stage"),
        read_text(smiles, "SMILES"),
        read_count(batch, "batch"),
        read_time(time_s),
        read_text(worker, "worker"),
        read_clock(began_s),
        read_clock(ended_s),
        checked(outcome),
        read_text(title, "name"),
    )


def _by_name(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    some = list(pairs)
    named = dict(some)
    if len(named) < len(some):
        raise ValueError(f"a job has two parts of the same name, among {', '.join(named)}")
    return named


def _calculation(row: Row) -> tuple[str, Calculation]:
    name, charge, n_unpaired, method, energy_ev, geometry, solvent, n_steps = row
    found = Calculation(charge, n_unpaired, method, energy_ev, geometry, solvent, n_steps)
    return read_text(name, "calculation"), found


def _geometry(row: Row) -> tuple[str, Geometry]:
    name, numbers, positions = row
    if not (isinstance(numbers, bytes) and isinstance(positions, bytes)):
        raise ValueError("geometry: expected bytes")
    places = np.frombuffer(positions, dtype="<f8").reshape(-1, 3)
    return read_text(name, "geometry"), Geometry(np.frombuffer(numbers, dtype="u1"), places)

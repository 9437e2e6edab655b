"""What a run stores, and the rows of its tables: a writer or reader each.

A reader raises ValueError where a row holds what no run has stored.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import Event
from molloop.campaign.jobs import Known, Simulated
from molloop.molecule import Geometry
from molloop.simulate.outcome import LARGEST_VALUE, Failure, Outcome, Success
from molloop.simulate.validation import checked, storable
from molloop.store.events import decode
from molloop.store.stored import read_count, read_json, read_number, read_one_of, read_text

MAX_CONFIG = 200_000  # letters
MAX_TIME_S = 1e11  # 3,000 years
INSERT_OUTCOME = f"INSERT INTO outcomes VALUES ({', '.join('?' * 20)})"


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


def outcome_row(item: Simulated) -> tuple[object, ...]:
    """Return the row of the table `outcomes`."""
    outcome = item.outcome
    common = (
        item.proposal,
        item.molecule_id,
        item.smiles,
        item.batch,
        outcome.level,
        outcome.fidelity,
        item.time_s,
        item.worker,
        item.began_s,
        item.ended_s,
        outcome.seconds,
    )
    if isinstance(outcome, Failure):
        failure = (storable(outcome.kind), storable(outcome.message), int(outcome.can_retry))
        return (*common, None, None, None, None, None, *failure, outcome.schema_version)
    numbers = positions = None
    if outcome.geometry is not None:
        numbers = outcome.geometry.numbers.astype("u1").tobytes()
        positions = outcome.geometry.positions_angstrom.astype("<f8").tobytes()
    texts = (json.dumps(outcome.details), json.dumps(outcome.flags))
    success = (outcome.value, *texts, numbers, positions)
    return (*common, *success, None, None, None, outcome.schema_version)


class _Environment(BaseModel):
    """What readers look at of an environment; it may say more."""

    model_config = ConfigDict(strict=True, extra="allow")

    host: str = ""
    pid: int = 0
    command: list[str] = []
    packages: dict[str, str] = {}
    library: dict[str, Any] = {}
    simulator: str | None = None


_ENVIRONMENT = TypeAdapter(_Environment)
_DETAILS = TypeAdapter(dict[str, int | float])
_FLAGS = TypeAdapter(tuple[str, ...])

Row = Sequence[Any]


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


def read_task(row: Row) -> Task:
    """Read a row of the table `tasks`."""
    work, worker, began_s, ended_s = row
    kind = Work(read_one_of(work, Work, "work"))
    return Task(kind, read_text(worker, "worker"), read_clock(began_s), read_clock(ended_s))


def read_known(row: Row) -> Known:
    """Read a row of the table `known`."""
    smiles, value, molecule_id = row
    key = None if molecule_id is None else read_count(molecule_id, "molecule id")
    return Known(read_text(smiles, "SMILES"), read_value(value), key)


def read_value(value: object) -> float:
    """Read a value of a property."""
    return read_number(value, "value", LARGEST_VALUE)


def read_time(value: object) -> float:
    """Read a time in seconds from the beginning of a run."""
    return read_number(value, "time", MAX_TIME_S, least=0.0)


def read_clock(value: object) -> float:
    """Read the same by the clock of a worker, which may go wrong."""
    return read_number(value, "time of a worker", MAX_TIME_S)


def read_outcome(row: Row) -> Simulated:
    """Read a row of the table `outcomes`."""
    (proposal, molecule_id, smiles, batch, level, fidelity, time_s, worker, began_s, ended_s,
     seconds, value, details, flags, numbers, positions, kind, message, can_retry,
     version) = row  # fmt: skip
    outcome: Outcome
    if kind is not None:
        can_retry = bool(read_count(can_retry, "can_retry"))
        outcome = Failure(kind, message, level, fidelity, can_retry, seconds, version)
    else:
        facts = (read_json(_DETAILS, details, "details"), read_json(_FLAGS, flags, "flags"))
        geometry = None if numbers is None else _read_geometry(numbers, positions)
        outcome = Success(value, level, fidelity, *facts, geometry, seconds, version)
    return Simulated(
        read_count(proposal, "proposal"),
        read_count(molecule_id, "molecule id"),
        read_text(smiles, "SMILES"),
        read_count(batch, "batch"),
        read_time(time_s),
        read_text(worker, "worker"),
        read_clock(began_s),
        read_clock(ended_s),
        checked(outcome),
    )


def _read_geometry(numbers: object, positions: object) -> Geometry:
    if not (isinstance(numbers, bytes) and isinstance(positions, bytes)):
        raise ValueError("geometry: expected bytes")
    return Geometry(
        np.frombuffer(numbers, dtype="u1"), np.frombuffer(positions, dtype="<f8").reshape(-1, 3)
    )

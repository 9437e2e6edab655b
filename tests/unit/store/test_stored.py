"""What is read back from a database that anybody may have changed."""

import json
import random

import pytest
from pydantic import TypeAdapter

from molloop.campaign.events import (
    Began,
    End,
    Finished,
    Lost,
    Ranked,
    RankingBegan,
    Resumed,
    Source,
    Stopped,
    Submitted,
)
from molloop.config.load import parse
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.store import records
from molloop.store.events import encode
from molloop.store.stored import read_count, read_json, read_number, read_text

N_CASES = 10_000
EVENTS = (
    Began(100, 0),
    Submitted((1, 2, 3), Source.INITIAL, 0, 3),
    Finished(1, "", 0.25, 15.5),
    Lost((2,), "worker"),
    RankingBegan(1, 1),
    Ranked(1, (4, 5), (15.0, 14.5), (0.5, 0.25), 1.5),
    Ranked(2, (4, 5), (), ()),  # of a policy without a model
    Resumed(("site.workers: 2 -> 4",)),
    Stopped("as asked", End.DONE),
)
ENVIRONMENT = {
    "command": ["molloop", "run"],
    "host": "node",
    "pid": 7,
    "packages": {"molloop": "0.1.0"},
    "library": {"key": "a", "name": "qm9"},
    "simulator": None,
}
JOBS = (
    (0, 7, "gfn2", "O", 1, 2.5, "host:1", 1.0, 2.0, 0.5, '["odd"]', None, None),
    (1, 8, "gfn2", "C", 1, 2.5, "host:1", 1.0, 2.0, 0.5, None, "scf", "no"),
)
VALUE = ("ie", 15.5)
CALCULATION = ("molecule", 0, 1, "GFN2-xTB", -137.5, "molecule", "", 7)
WATER = ("molecule", bytes([8, 1, 1]), bytes(72))
ODD = (
    *(None, "", "{", "null", "[]", '{"a": [', "[" * 2000, '{"a":' * 2000, "x" * 9000, "\udcff"),
    *(-1, 0, 0.5, 2**63, 1e300, float("inf"), float("nan"), True, b"\x00", "NaN", "1e999"),
)


def changed(text, rng):
    """Return a text with a part of it replaced by something odd."""
    place = rng.randrange(len(text) + 1)
    return text[:place] + str(rng.choice((*ODD, "", ",", "9"))) + text[place + rng.randrange(5) :]


def changed_cell(row, rng):
    place = rng.randrange(len(row))
    return (*row[:place], rng.choice(ODD), *row[place + 1 :])


def cases(rng):
    """Return a record type's reader, and a row for it that was changed."""
    kind, body = encode(rng.choice(EVENTS))
    text = json.dumps(body)
    yield records.read_event, changed_cell((1.0, kind, text), rng)
    yield records.read_event, (1.0, kind, changed(text, rng))
    yield records.read_session, ("now", "x = 1\n", changed(json.dumps(ENVIRONMENT), rng))
    yield records.read_session, changed_cell(("now", "x = 1\n", json.dumps(ENVIRONMENT)), rng)
    job = list(rng.choice(JOBS))
    parts = ((VALUE,), (CALCULATION,), (WATER,)) if job[11] is None else ((), (), ())
    yield read_outcome, (changed_cell(job, rng), *parts)
    flags = changed(job[10] or "[]", rng)
    yield read_outcome, ((*job[:10], flags, *job[11:]), *parts)
    places = rng.randrange(3)
    odd = [*parts[:places], (changed_cell((VALUE, CALCULATION, WATER)[places], rng),)]
    yield read_outcome, (job, *odd, *parts[places + 1 :])
    yield records.read_task, changed_cell(("train", "host:1", 0.5, 1.0), rng)
    yield records.read_known, changed_cell(("C", 15.0, 3, "experiment"), rng)


def read_outcome(row):
    return records.read_outcome(*row)


def refusal(read, row):
    """Return what the error says; None where the row is read."""
    try:
        read(row)
    except ValueError as error:
        return str(error)
    return None


def test_whatever_a_row_holds_is_read_or_refused_in_a_line():
    rng = random.Random(20)
    n_read = n_refused = 0
    while n_read + n_refused < N_CASES:
        for read, row in cases(rng):
            told = refusal(read, row)
            if told is None:
                n_read += 1
            else:
                assert len(told.splitlines()) <= 1
                assert len(told) < 1000
                n_refused += 1
    assert min(n_read, n_refused) > N_CASES / 20


def test_whatever_a_stored_configuration_says_is_read_or_refused():
    rng = random.Random(21)
    lines = Settings().to_toml().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    n_refused = 0
    for _ in range(300):
        try:
            parse(changed(text, rng))
        except InputError:
            n_refused += 1
    assert 100 < n_refused < 300


def test_what_was_stored_of_bytes_that_are_no_text_is_read_with_question_marks():
    assert records.read_event((1.0, "Finished", '{"molecule_id": 1, "failure": "k\\udcff"}')) == (
        1.0,
        Finished(1, "k?"),
    )
    session = records.read_session(
        ("now", "x = 1\n", '{"command": ["a\\udcff", "\\ud83d\\ude00"]}')
    )
    assert session.environment == {"command": ["a?", "😀"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1, 2.5]", "ids 1: Input should be a valid integer, got 2.5"),
        ("[true]", "ids 0: Input should be a valid integer, got True"),
        ("{", "ids: Invalid JSON"),
        ("[" * 5000, "ids: Invalid JSON: recursion limit exceeded"),
        (b"[]", "ids: expected a text, got b'[]'"),
        (None, "ids: expected a text, got None"),
    ],
)
def test_json_that_is_not_what_was_stored_is_told(text, told):
    with pytest.raises(ValueError, match="ids") as caught:
        read_json(TypeAdapter(list[int]), text, "ids")
    assert str(caught.value).startswith(told)


def test_plain_values_are_of_their_kind():
    assert read_count(0, "n") == 0
    assert read_count(2**53, "n") == 2**53
    assert read_number(-3, "x", 3.0) == -3
    assert read_text("", "x") == ""
    for value in (-1, 2**53 + 1, 1.0, "1", None):
        with pytest.raises(ValueError, match="n: expected a whole number"):
            read_count(value, "n")
    for value in (3.1, -3.1, float("nan"), float("inf"), "1", None):
        with pytest.raises(ValueError, match="x: expected a number, -3 to 3"):
            read_number(value, "x", 3.0)

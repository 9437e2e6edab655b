import stat

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from molloop.campaign.state import Began, Finished, Source, Submitted
from molloop.campaign.store import Known, Simulated, Store
from molloop.errors import StoreError
from molloop.simulate.outcome import Failure, Geometry, Success


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "campaign.sqlite", create=True)
    yield store
    store.close()


WATER = Geometry(np.array([8, 1, 1], np.uint8), np.arange(9, dtype=float).reshape(3, 3) / 7)


def success(value=15.0, geometry=WATER, **changes):
    fields = {"details": {"neutral_energy_ev": -1.5}, "flags": ("not_converged",), "seconds": 0.25}
    return Success(value, "gfn2", "relaxed", geometry=geometry, **fields | changes)


def simulated(proposal, molecule_id, outcome):
    return Simulated(proposal, molecule_id, "O", 1, 2.5, "host:1", 1.0, 2.0, outcome)


def equal(one, other):
    """Compare two records; arrays do not compare by themselves."""
    if isinstance(one.outcome, Success) and one.outcome.geometry is not None:
        ours, theirs = one.outcome.geometry, other.outcome.geometry
        assert np.array_equal(ours.numbers, theirs.numbers)
        assert np.array_equal(ours.positions_angstrom, theirs.positions_angstrom)
    return repr(one) == repr(other)


@given(
    # SQLite keeps no negative zero
    value=st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0),
    details=st.dictionaries(st.text(), st.floats(allow_nan=False)),
    flags=st.lists(st.text()).map(tuple),
    message=st.text(),
    can_retry=st.booleans(),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_outcomes_read_back_bit_for_bit(tmp_path, value, details, flags, message, can_retry):
    path = tmp_path / "campaign.sqlite"
    path.unlink(missing_ok=True)
    rows = [
        simulated(0, 7, success(value, details=details, flags=flags)),
        simulated(1, 8, success(value, geometry=None)),
        simulated(2, 9, Failure("embedding", message, "gfn2", "relaxed", can_retry, 0.5)),
    ]
    store = Store(path, create=True)
    store.append(1.0, [], rows)
    store.close()
    store = Store(path)
    read = store.simulated()
    store.close()
    assert all(equal(one, other) for one, other in zip(rows, read, strict=True))


def test_events_read_back_in_order(store):
    first = [Began(10, 0), Submitted((1, 2), Source.INITIAL, 0)]
    store.append(0.5, first)
    store.append(1.5, [Finished(2, ok=True)])
    assert store.events() == [(0.5, first[0]), (0.5, first[1]), (1.5, Finished(2, ok=True))]


def test_known_values_read_back(store):
    known = [Known("C", 17.0, 3), Known("CC", 15.5, None)]
    store.add_known(known)
    assert store.known() == known


def test_training_rows_follow_the_proposals(store):
    store.append(1.0, [], [simulated(2, 5, success(13.0)), simulated(0, 9, success(14.0))])
    store.append(1.0, [], [simulated(1, 4, Failure("scf", "", "gfn2", "relaxed"))])
    assert store.training_rows() == [(9, 14.0), (5, 13.0)]


def test_failures_are_counted_by_kind(store):
    kinds = ["scf", "embedding", "scf"]
    store.append(
        0.0,
        [],
        [
            simulated(k, k, Failure(kind, f"{kind} {k}", "gfn2", "relaxed"))
            for k, kind in enumerate(kinds)
        ],
    )
    assert store.failures() == [("scf", "scf 0", 2), ("embedding", "embedding 1", 1)]


def test_a_molecule_has_one_success_and_a_transaction_is_all_or_nothing(store):
    store.append(1.0, [Finished(1, ok=True)], [simulated(0, 1, success())])
    rows = [simulated(1, 2, success()), simulated(2, 1, success())]
    with pytest.raises(StoreError, match="UNIQUE"):
        store.append(2.0, [Finished(2, ok=True), Finished(1, ok=True)], rows)
    assert [item.molecule_id for item in store.simulated()] == [1]
    assert len(store.events()) == 1
    store.append(3.0, [], [rows[0]])
    assert len(store.simulated()) == 2


def test_a_second_process_reads_while_the_first_writes(store):
    other = Store(store.path)
    store.append(1.0, [Began(3, 0)])
    assert len(other.events()) == 1
    other.close()


def test_the_file_belongs_to_its_owner_and_is_synchronised(store):
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    pragma = {
        name: store._connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous")
    }
    assert pragma == {"journal_mode": "truncate", "synchronous": 2}
    assert not store.path.with_name(store.path.name + "-wal").exists()


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "campaign.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"campaign\.sqlite"):
        Store(path)


def test_a_missing_file_is_not_made(tmp_path):
    with pytest.raises(StoreError):
        Store(tmp_path / "none.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_not_overwritten(store):
    with pytest.raises(StoreError, match="exists"):
        Store(store.path, create=True)

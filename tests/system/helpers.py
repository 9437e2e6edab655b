"""What tests of whole runs share."""

import time
from contextlib import closing, suppress

from molloop.campaign.events import End, Stopped
from molloop.errors import StoreError
from molloop.simulate.outcome import Success
from molloop.store.reader import Reader

SLOW = """
import time
from molloop.simulate.outcome import Success
def simulate(smiles):
    time.sleep({seconds})
    return Success(float(len(smiles)))
"""
OWN = ("property.simulator=mine:simulate", "property.name=length", "property.unit=letters")


def words_of(*assignments):
    return [word for one in assignments for word in ("--set", one)]


def slow(tmp_path, seconds):
    (tmp_path / "mine.py").write_text(SLOW.format(seconds=seconds))
    return words_of(*OWN)


def read(run_dir):
    with closing(Reader.read(run_dir / "campaign.sqlite")) as store:
        return [event for _, event in store.events()], store.simulated()


def values(run_dir):
    return {
        one.molecule_id: one.outcome.value
        for one in read(run_dir)[1]
        if isinstance(one.outcome, Success)
    }


def wait_for(is_so, seconds, what):
    until_s = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until_s, f"{what}: not within {seconds} s"
        time.sleep(0.1)


def has_begun(run_dir):
    def is_so():
        with suppress(StoreError):
            return bool(read(run_dir)[0])
        return False

    return is_so


def has_values(run_dir, n):
    def is_so():
        with suppress(StoreError):
            return len(values(run_dir)) >= n
        return False

    return is_so


def finish(process, seconds=180):
    _, stderr = process.communicate(timeout=seconds)
    assert process.returncode == 0, stderr


def ended_by(run_dir):
    """Return why a run was interrupted, if its last word says so."""
    last = read(run_dir)[0][-1]
    return last.reason if isinstance(last, Stopped) and last.end is End.INTERRUPTED else None


def ended(run_dir):
    with suppress(StoreError):
        events, _ = read(run_dir)
        return any(isinstance(one, Stopped) and one.end is End.DONE for one in events)
    return False

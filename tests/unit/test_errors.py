import errno
import pickle

import pytest

from molloop import errors

EXAMPLES = [
    errors.InputError("--library", "x.smi", "a file", "Check the path."),
    errors.RunError("It stopped.", "Start again."),
    errors.EngineError("No worker.", "Look at the log."),
    errors.StoreError("Disk full.", "Make space."),
    errors.SimulationError("embedding", "no structure for 'C'"),
]


def subclasses(kind):
    for sub in kind.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_every_error_has_an_example():
    ours = {kind for kind in subclasses(errors.MolloopError) if kind.__module__ == errors.__name__}
    assert ours == {type(error) for error in EXAMPLES}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_an_input_error_says_what_value_expectation_and_remedy():
    assert str(EXAMPLES[0]) == "--library: got 'x.smi', expected a file. Check the path."


def test_exit_codes():
    assert [error.exit_code for error in EXAMPLES] == [2, 1, 1, 1, 1]


def test_room_is_asked_for_only_where_a_disk_is_full():
    full, read_only = OSError(errno.ENOSPC, "No space left"), OSError(errno.EROFS, "Read-only")
    assert errors.remedy_there(full) == "Make space there"
    assert errors.remedy_there(read_only) == "See to it that it can be written there"
    assert type(errors.not_written("file", "a.csv", full)) is errors.RunError
    assert type(errors.not_written("file", "a.csv", read_only)) is errors.InputError

"""What a run may not go on with."""

import pytest

from molloop.assembly.resumption import check_resumption
from molloop.config.load import load
from molloop.errors import InputError
from molloop.simulate.simulators import Origin
from molloop.store.records import Session
from molloop.store.run_dir import environment

SETTINGS = load(property={"simulator": "gap", "name": "gap"})


def facts(origin):
    return environment({"key": "k"}, origin)


def before(origin):
    return Session("now", SETTINGS.to_toml(), facts(origin))


def test_a_run_goes_on_with_the_code_that_it_has_begun_with():
    for origin in (None, Origin(("molloop",)), Origin(("molloop",), "gaps", "1.0")):
        assert check_resumption(before(origin), SETTINGS, facts(origin)) == ()


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (
            Origin(("molloop",), "gaps", "1.1"),
            "the code that this run has begun with, gaps 1.0. It was changed since, gaps 1.1. ",
        ),
        (Origin(("molloop",), "others", "1.0"), "It was changed since, others 1.0. "),
        (Origin(("molloop", "numpy"), "gaps", "1.0"), "It was changed since, gaps 1.0. "),
        (Origin(("molloop",)), "gaps 1.0. It was changed since. "),
        (None, "gaps 1.0. It was changed since. "),
    ],
)
def test_other_code_is_refused(now, words):
    with pytest.raises(InputError, match=r"^property\.simulator: got 'gap'") as caught:
        check_resumption(before(Origin(("molloop",), "gaps", "1.0")), SETTINGS, facts(now))
    assert words in str(caught.value)

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


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ([], ["conditions.charge=0"], "conditions.charge: not set -> 0"),
        (["conditions.charge=0"], ["conditions.charge=[1, 0]"], "conditions.charge: 0 -> [0, 1]"),
        ([], ['conditions.elements=["C"]'], 'conditions.elements: not set -> ["C"]'),
        ([], ["conditions.excluded_smarts=C"], 'conditions.excluded_smarts: [] -> ["C"]'),
        (
            [],
            ["conditions.descriptors.tpsa={max = 90.5}"],
            "conditions.descriptors: {} -> {tpsa = {max = 90.5}}",
        ),
        ([], ["search.policy=ridge"], "search.policy: gp -> ridge"),
        ([], ["site.workers=2"], "site.workers: not set -> 2"),
    ],
)
def test_a_change_is_told_as_a_configuration_says_it(then, now, told):
    began, goes_on = load(None, then), load(None, now)
    session = Session("now", began.to_toml(), environment({"key": "k"}, None))
    assert check_resumption(session, goes_on, environment({"key": "k"}, None)) == (told,)


def test_what_may_not_change_is_told_so_too():
    began = load(None, ['simulation.quantities=["ea"]'])
    session = Session("now", began.to_toml(), environment({"key": "k"}, None))
    with pytest.raises(InputError) as caught:
        check_resumption(session, load(), environment({"key": "k"}, None))
    assert "simulation.quantities: got '[]', expected [\"ea\"], this run's" in str(caught.value)

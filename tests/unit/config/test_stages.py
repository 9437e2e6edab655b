"""Configurations of a ladder of stages."""

import pytest

from molloop.assembly.resumption import check_resumption
from molloop.assembly.schedule import make_course
from molloop.config.load import differences, load, parse, revise
from molloop.errors import InputError
from molloop.library.selection import Selection
from molloop.store.records import Session

DFT = "b3lyp/def2-svp"
TWO = [{"level": "ipea1"}, {"level": DFT, "cores": 2, "max_count": 60}]


def test_a_ladder_is_read_and_written():
    settings = load(
        stages=[{"level": "gfn2", "fidelity": "mmff-geometry", "name": "cheap"}, *TWO],
        simulation={"timeout_s": 99.0},
        campaign={"max_training_count": 1000},
    )
    assert [one.stage for one in settings.protocols()] == ["cheap", "ipea1", DFT]
    assert settings.protocol() == settings.protocols()[-1]
    # what a stage does not say stands in [simulation]
    assert [one.timeout_s for one in settings.protocols()] == [99.0] * 3
    assert [one.cores for one in settings.protocols()] == [1, 1, 2]
    assert settings.worker_cores() == 2
    # a sixteenth of 1,000 where nothing is said
    assert settings.max_counts() == (1000, 62, 60)
    assert parse(settings.to_toml()) == settings
    assert settings.protocols()[0].outcome_fidelity == "mmff-geometry"


def test_without_stages_there_is_one():
    settings = load(simulation={"level": "ipea1"})
    assert [one.stage for one in settings.protocols()] == ["ipea1"]
    assert settings.max_counts() == (24,)
    assert "# [[stages]]" in settings.to_toml()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"campaign": {"max_training_count": 24}}, (24, 8)),
        ({"campaign": {"max_training_count": 160}}, (160, 10)),
        ({"stopping": {"time_limit_s": 60.0}}, (None, None)),
    ],
)
def test_what_a_stage_may_compute_by_default(given, expected):
    found = load(stages=[{"level": "gfn2"}, {"level": "ipea1"}], **given)
    assert found.max_counts() == expected


def test_a_share_takes_the_place_of_a_count():
    found = load(stages=[{"level": "gfn2"}, {"level": "ipea1", "share": 0.5}])
    assert found.max_counts() == (24, None)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ([{"level": "ipea1"}], "stages: got 1, expected two or three tables"),
        ([{"level": "gfn2"}] * 4, "stages: got 4, expected two or three tables"),
        (
            [{"level": "gfn2"}, {"level": "gfn2"}],
            "stages.2.level: got 'gfn2', expected a level or fidelity that no stage before it has",
        ),
        (
            [{"level": "gfn2", "name": "One"}, {"level": "ipea1", "name": "one"}],
            "stages.2.name: got 'one', expected another name",
        ),
        (
            [{"level": "gfn2", "name": "a"}, {"level": "gfn2", "name": "b"}],
            "stages.2.level: got 'gfn2', expected a level or fidelity that no stage before it has",
        ),
        ([{}, {"level": "ipea1", "max_count": 3, "share": 0.5}], "max_count or share, not both"),
        ([{"max_count": 3}, {"level": "ipea1"}], "stages.1.max_count: got 3, expected it left out"),
        ([{"share": 0.3}, {"level": "ipea1"}], "stages.1.share: got 0.3, expected it left out"),
        ([{}, {"level": "ipea1", "cores": 2}], "stages.2.cores: got 2, expected 1"),
        ([{}, {"level": "ipea1", "solvent": "water"}], "expected solvent left out"),
        ([{}, {"level": "gfn3"}], "stages.2.level: got 'gfn3', expected one of gfn2"),
        ([{}, {"levle": "ipea1"}], "Is stages.level meant?"),
        ([{}, {"level": "ipea1", "timeout_s": 0}], "stages.2.timeout_s: got 0, expected greater"),
        ([{}, {"level": "ipea1", "name": "!"}], "expected a name with letters"),
        (
            [{}, {"level": "ipea1", "share": 0.6}, {"level": "gfn1", "share": 0.6}],
            "stages, share: got 1.2, expected less than 1 in all",
        ),
        (3, "stages: got 3, expected a list"),
    ],
)
def test_what_is_no_ladder_is_told(stages, words):
    with pytest.raises(InputError) as caught:
        load(stages=stages)
    assert words in str(caught.value)


def test_a_level_beside_stages_is_told():
    with pytest.raises(InputError, match=r"simulation\.level: got 'gfn1', expected it left out"):
        load(None, ["simulation.level=gfn1"], stages=TWO)


def test_a_policy_without_predictions_needs_counts():
    given = {"stages": [{}, {"level": "ipea1"}], "search": {"policy": "random"}}
    load(**given)
    with pytest.raises(InputError, match=r"stages\.2\.max_count: is missing, expected max_count"):
        load(stopping={"time_limit_s": 9.0}, **given)


def test_a_setting_of_a_stage_can_be_changed():
    before = load(stages=TWO)
    after = revise(before, ["stages.2.max_count=100"])
    assert differences(before, after) == {"stages.2.max_count": (60, 100)}
    for wrong in ("stages.3.max_count=1", "stages.name=1", "stages.1=2"):
        with pytest.raises(InputError, match="with the number of a stage from 1"):
            revise(before, [wrong])


def test_a_setting_of_a_stage_of_the_short_form_can_be_changed():
    stages = [{"level": "gfn2"}, {"level": "ipea1"}]
    settings = load(None, ["stages.2.max_count=5"], {"stages": stages})
    assert [one.max_count for one in settings.stages] == [None, 5]


def test_a_run_that_goes_on_may_get_more_of_a_stage_and_no_other_level():
    before = load(stages=TWO)
    facts = {"library": {"key": "a"}, "simulator": None, "packages": {}}
    session = Session("2026-01-02T03:04:05+00:00", before.to_toml(), facts)
    more = revise(before, ["stages.2.max_count=100", "stages.2.timeout_s=5.0"])
    assert check_resumption(session, more, facts) == (
        "stages.2.timeout_s: 600.0 -> 5.0",
        "stages.2.max_count: 60 -> 100",
    )
    for changed in (
        revise(before, ["stages.1.level=gfn2"]),
        load(stages=[*TWO, {"level": "gfn1"}]),
        load(simulation={"level": "ipea1"}),
    ):
        with pytest.raises(InputError, match="begin a new run"):
            check_resumption(session, changed, facts)


def test_the_last_stage_ends_a_run_of_several(small_library):
    settings = load(stages=TWO, stopping={"patience": 5, "top_k": 3})
    course = make_course(settings, Selection.of_all(small_library), 2, settings.protocols())
    assert (course.stopping.patience, course.stopping.top_k) == (5, 3)
    own = course.schedule.plan.stopping
    assert (own.patience, own.top_k) == (None, 3)
    # of workers with the cores of the last stage two molecules of the first one go abreast
    course = make_course(settings, Selection.of_all(small_library), 2, settings.protocols(), 2)
    [above] = course.above
    assert course.schedule.plan.dispatch.n_abreast == 2
    assert above.plan.dispatch.n_abreast == 1
    assert (above.name, above.plan.max_training_count, above.share) == (DFT, 60, None)

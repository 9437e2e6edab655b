"""A small run of two stages, step by step, for what reads runs."""

from molloop.campaign.events import (
    Began,
    Finished,
    Ranked,
    RankingBegan,
    Source,
    Submitted,
)
from molloop.campaign.jobs import Simulated
from molloop.config.load import load
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Session, stage_of
from molloop.store.writer import Store

BELOW, LAST = "gfn2", "b3lyp/def2-svp"
SETTINGS = load(
    stages=[{"level": BELOW}, {"level": LAST, "cores": 2, "max_count": 5}],
    campaign={"max_training_count": 12},
)
SMILES = ("C", "CC", "CCC", "CCCC", "CCCCC", "N")


def item(number, key, stage, time_s, value, seconds):
    outcome = Failure("scf", f"no {key}") if value is None else Success({"ie": value})
    outcome = type(outcome)(**{**_fields(outcome), "seconds": seconds})
    times_s = (time_s, "w", time_s - seconds, time_s)
    return Simulated(number, key, stage, SMILES[key], 0, *times_s, outcome)


def _fields(outcome):
    return {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}


SIMULATED = [
    *(item(k, k, BELOW, 1.0 + k, value, 1.0) for k, value in enumerate((15.0, 14.0, 13.0, 12.0))),
    item(4, 4, BELOW, 5.0, None, 2.0),
    item(5, 5, BELOW, 6.0, 15.5, 1.0),
    # of what is first, second and third below, the second one is last above
    item(6, 0, LAST, 20.0, 10.5, 10.0),
    item(7, 1, LAST, 30.0, 8.0, 10.0),
    item(8, 2, LAST, 40.0, 9.0, 10.0),
    item(9, 3, LAST, 44.0, None, 4.0),
]


def finished(number):
    one = SIMULATED[number]
    is_failed = isinstance(one.outcome, Failure)
    return Finished(
        one.molecule_id,
        one.outcome.kind if is_failed else "",
        one.outcome.seconds,
        None if is_failed else one.outcome.named["ie"],
        one.stage,
    )


# time, events, and numbers of the outcomes that are stored with them
STEPS = [
    (0.0, [Began(1000, 0), Submitted((0, 1, 2, 3, 4), Source.INITIAL, 0, 5, BELOW)], ()),
    (5.0, list(map(finished, range(5))), range(5)),
    (5.1, [RankingBegan(1, 4, BELOW), Ranked(1, (5,), (11.0,), (0.5,), 0.1, BELOW, 0.3)], ()),
    (5.2, [Submitted((5,), Source.RANKING, 1, 0, BELOW)], ()),
    (6.0, [finished(5)], (5,)),
    (6.1, [RankingBegan(1, 5, LAST)], ()),
    (6.2, [Ranked(1, (5, 0, 1, 2, 3), (11.5, 11.0, 10.0, 9.0, 8.0), (0.5,) * 5, 0.1, LAST)], ()),
    (6.3, [Submitted((0, 1, 2, 3), Source.RANKING, 1, 0, LAST)], ()),
    (44.0, list(map(finished, range(6, 10))), range(6, 10)),
]
EVENTS = [(time_s, event) for time_s, events, _ in STEPS for event in events]


def write_run(folder, settings=SETTINGS):
    """Store the run in a folder."""
    session = Session("now", settings.to_toml(), {"host": "h"})
    stages = map(stage_of, settings.protocols())
    store = Store.create(folder / "campaign.sqlite", session, (), stages)
    for time_s, events, numbers in STEPS:
        store.append(time_s, events, [SIMULATED[number] for number in numbers], [])
    store.close()

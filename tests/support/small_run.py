"""A small run, step by step, for what reads runs."""

from molloop.campaign.engine import Task, Work
from molloop.campaign.events import (
    Began,
    End,
    Finished,
    Ranked,
    RankingBegan,
    Source,
    Stopped,
    Submitted,
)
from molloop.campaign.jobs import Simulated
from molloop.config.settings import Settings
from molloop.simulate.outcome import Failure, Success
from molloop.store.records import Session
from molloop.store.writer import Store


def item(number, time_s, value, smiles="C"):
    outcome = Failure("scf", f"no {number}") if value is None else Success({"ie": value})
    return Simulated(
        number, 100 + number, "gfn2", smiles, 0, time_s, "w", time_s - 1, time_s, outcome
    )


def new_store(tmp_path):
    config = Settings.model_validate({"property": {"threshold": 15.5}}).to_toml()
    return Store.create(tmp_path / "campaign.sqlite", Session("now", config, {"host": "h"}))


RANKED = Ranked(1, (103, 104), (16.0, 15.0), (0.5, 0.2))
TRAINED = Task(Work.TRAIN, "w", 3.0, 3.5)
# the events of a small run, and what is stored with each
STEPS = [
    (0.0, [Began(1000, 0), Submitted((100, 101, 102), Source.INITIAL, 0)], [], []),
    (2.0, [Finished(101)], [item(1, 2.0, 15.0)], []),
    (
        3.0,
        [Finished(100), Finished(102), RankingBegan(1, 2)],
        [item(0, 3.0, None), item(2, 3.0, 14.0)],
        [],
    ),
    (4.0, [RANKED, Submitted((103, 104), Source.RANKING, 1)], [], [TRAINED]),
    (6.0, [Finished(103)], [item(3, 6.0, 16.5, "CC")], []),
    (7.0, [Finished(104)], [item(4, 7.0, 15.1)], []),
    (8.0, [Stopped("5 values are there", End.DONE)], [], []),
]

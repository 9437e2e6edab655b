"""The public interface as a user's type checker sees it: checked by mypy, never run."""

from collections.abc import Iterator
from pathlib import Path
from typing import assert_type

import molloop
from molloop.campaign.events import Event, Finished
from molloop.campaign.jobs import Simulated


def listen(time_s: float, event: Event, simulated: Simulated | None) -> None:
    if isinstance(event, Finished) and simulated is not None:
        print(f"{time_s:.1f} s", simulated.smiles)


def use(folder: Path) -> molloop.Results:
    outcomes = molloop.simulate_molecules(["O"], molloop.load(simulation={"level": "ipea1"}))
    assert_type(outcomes, Iterator[molloop.Success | molloop.Failure])
    for outcome in outcomes:
        if isinstance(outcome, molloop.Success):
            assert_type(outcome.value, float)
        else:
            assert_type(outcome.message, str)
    library = molloop.build_library("molecules.smi", folder / "library")
    assert_type(library, molloop.Library)
    assert_type(molloop.open_library("qm9"), molloop.Library)
    settings = molloop.load("mine.toml", library={"source": folder / "library"})
    assert_type(settings, molloop.Settings)
    assert_type(molloop.run(settings, "runs/a", listen), molloop.Results)
    results = molloop.resume("runs/a", campaign={"max_training_count": 50}, listener=listen)
    assert_type(results.values, dict[int, float])
    best: float = results.frame()["ie_ev"].max()
    print(best)
    try:
        return molloop.read_results(folder)
    except molloop.InputError as error:
        assert_type(error.remedy, str)
        raise

"""The public interface as a user's type checker sees it: checked by mypy, never run."""

from collections.abc import Iterator
from pathlib import Path
from typing import assert_type

from ase import Atoms
from rdkit import Chem

import molloop


def listen(time_s: float, event: object, simulated: molloop.Simulated | None) -> None:
    if isinstance(event, molloop.Finished) and simulated is not None:
        print(f"{time_s:.1f} s", simulated.smiles)


def use(folder: Path) -> molloop.Results:
    outcomes = molloop.simulate_molecules(["O"], molloop.load(simulation={"level": "ipea1"}))
    assert_type(outcomes, Iterator[molloop.Success | molloop.Failure])
    for outcome in outcomes:
        assert_type((outcome.smiles, outcome.name), tuple[str, str])
        if isinstance(outcome, molloop.Success):
            assert_type(outcome.value, float)
            assert_type(outcome.geometry, molloop.Geometry | None)
        else:
            assert_type(outcome.message, str)
    whole = molloop.Molecule(0, "O", "water")
    assert_type(whole.geometry, molloop.Geometry | None)
    molloop.simulate_molecules([Chem.MolFromSmiles("O"), Atoms("O"), whole, "O"], n_processes=None)
    library = molloop.build_library("molecules.smi", folder / "library")
    assert_type(library, molloop.Library)
    assert_type(molloop.open_library("qm9"), molloop.Library)
    settings = molloop.load("mine.toml", library={"source": folder / "library"})
    assert_type(settings, molloop.Settings)
    assert_type(molloop.Settings.from_toml(settings.to_toml()), molloop.Settings)
    assert_type(settings.site, molloop.SiteSettings)
    assert_type(molloop.run(settings, "runs/a", listen), molloop.Results)
    results = molloop.resume("runs/a", campaign={"max_training_count": 50}, listener=listen)
    assert_type(results.values, dict[int, float])
    best: float = results.frame()["ie_ev"].max()
    print(best)
    assert_type(results.simulated, tuple[molloop.Simulated, ...])
    assert_type(molloop.read_status("runs/a"), molloop.Status)
    assert_type(molloop.export_run("runs/a", folder / "a.csv", "csv"), int)
    molloop.write_report(["runs/a", folder], "page.html")
    predictions = molloop.predict("runs/a", top=10)
    assert_type(predictions, molloop.Predictions)
    predictions.write(folder / "best.parquet")
    found = molloop.suggest(library, {"O": 18.3, "C": 16.9}, 2, pending=["N"])
    assert_type(found.molecules, tuple[molloop.Suggestion, ...])
    table: molloop.Table = molloop.open_known("qm9-ie-20k")
    assert_type(molloop.replay_table(table, scenario=molloop.Scenario(4)), molloop.Replayed)
    assert_type(molloop.compare_policies(table), molloop.Comparison)
    assert_type(molloop.tune_settings(table), molloop.Tuned[molloop.Settings])
    try:
        return molloop.read_results(folder)
    except molloop.InputError as error:
        assert_type(error.remedy, str)
        raise

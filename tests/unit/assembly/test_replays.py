"""What replays make of a user's configuration."""

import numpy as np
import pytest

import molloop
from molloop.assembly.tables import runnable, table_settings
from molloop.config.load import override
from molloop.errors import InputError
from molloop.replay.table import Table

SMALL = {
    "schedule": "batch",
    "initial_training_count": 3,
    "max_training_count": 5,
    "batch_size": 2,
}


@pytest.fixture
def table(small_library):
    values = np.arange(24.0)
    return Table("some where/our values.csv", "logp", small_library, values, np.ones(24))


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (
            {"simulation": {"level": "ipea1", "n_conformers": 4, "timeout_s": 5.0}},
            {
                "level": "ipea1",
                "fidelity": "relaxed",
                "start_geometry": "embedded",
                "n_conformers": 4,
                "max_atoms": 200,
                "quantities": (),
                "solvent": "",
                "reference": "SHE",
                "multiplicity": None,
            },
        ),
        (
            {
                "property": {"name": "gap", "simulator": "mine:gap"},
                "simulation": {"options": {"basis": "x"}},
            },
            {"basis": "x"},
        ),
    ],
)
def test_what_was_tuned_on_another_property_runs_the_user_s_simulation(table, given, options):
    given = molloop.load(**given)
    tuned = override(table_settings(given, table), {"search.policy": "ridge"})
    assert (tuned.property.name, tuned.property.simulator) == ("logp", "table-our_values.csv")
    found = molloop.Settings.from_toml(runnable(tuned, given).to_toml())
    assert found.search.policy == "ridge"
    assert found.protocol() == given.protocol()
    assert found.protocol().options == options
    assert (found.property, found.simulation) == (given.property, given.simulation)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_processes": 0}, "n_processes: got 0, expected 1 at least. None takes one a core."),
        ({"n_seeds": 0}, "n_seeds: got 0"),
        ({"top_k": 0}, "top_k: got 0"),
        ({"n_seeds": 2.5}, "n_seeds: got 2.5"),
    ],
)
def test_how_many_is_one_at_least(table, options, words):
    with pytest.raises(InputError, match=words):
        molloop.compare_policies(table, settings=molloop.load(campaign=SMALL), **options)

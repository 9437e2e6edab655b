import os

import numpy as np
import pytest

from molloop.assembly.reading import training_reading
from molloop.campaign.jobs import Known, Simulated
from molloop.campaign.warm_start import known_values, read_warm_start, stored_warm_start
from molloop.config.load import load
from molloop.config.settings import Settings
from molloop.errors import InputError
from molloop.library.features import morgan
from molloop.library.ingest import build
from molloop.library.manifest import BuildSpec
from molloop.library.origin import Files
from molloop.report.found import Found
from molloop.report.tables import write_training_data
from molloop.simulate.outcome import Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.smiles import read_molecule


def write(tmp_path, text):
    path = tmp_path / "known.csv"
    path.write_text(text)
    return path


def test_molecules_are_matched_by_what_they_are(tmp_path, small_library):
    text = "ie_ev,smiles,note,level,fidelity\n"
    path = write(tmp_path, f"{text}15.5,OC,x,gfn2,relaxed\n13.25,CCCCCC,,gfn2,relaxed\n")
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    methanol, hexane = warm.known
    assert (methanol.smiles, methanol.value) == ("OC", 15.5)
    assert small_library.smiles(methanol.molecule_id) == "CO"
    assert (hexane.value, hexane.molecule_id) == (13.25, None)
    molecules = [read_molecule("OC"), read_molecule("CCCCCC")]
    expected = morgan(molecules, small_library.manifest.spec.morgan)
    assert np.array_equal(warm.features["fingerprints"], expected)
    in_library = small_library.features("descriptors", [methanol.molecule_id])
    assert np.array_equal(warm.features["descriptors"][:1], in_library)
    assert len(warm.features["descriptors"]) == 2


def test_values_of_all_quantities_of_a_goal_are_known(tmp_path, small_library):
    """Water is of the library, which knows its mass; hexane is not, and its affinity is missing."""
    goal = load(
        objectives=[{"quantity": "ie"}, {"quantity": "ea", "direction": "minimise"}],
        constraints=[{"quantity": "molar_mass", "high": 45.0}],
    ).goal()
    rows = "O,15.5,-2.25,gfn2,relaxed\nCCCCCC,13.25,,gfn2,relaxed\n"
    path = write(tmp_path, f"smiles,ie_ev,ea_ev,level,fidelity\n{rows}")
    given = path, "ie_ev", SimulationProtocol(), small_library, None, None
    water, hexane = read_warm_start(*given, goal).known
    assert water.further == {"ea": -2.25, "molar_mass": pytest.approx(18.015, abs=1e-3)}
    assert hexane.further == {}
    assert water.values(goal) == (15.5, -2.25, water.further["molar_mass"])
    assert hexane.values(goal) == (13.25, None, None)
    assert [one.further for one in read_warm_start(*given).known] == [{}, {}]
    without = write(tmp_path, f"{HEADER}\nO,15.5,gfn2,relaxed\n")
    with pytest.raises(InputError, match="ea_ev"):
        read_warm_start(without, *given[1:], goal)


def test_names_travel(tmp_path, small_library):
    text = "Name;ie_ev;SMILES;level;fidelity\n'=A-1;15,5;OC;gfn2;relaxed\n;13,25;CC;gfn2;relaxed\n"
    warm = read_warm_start(write(tmp_path, text), "ie_ev", SimulationProtocol(), small_library)
    assert [one.name for one in warm.known] == ["=A-1", ""]


def test_flags_charge_and_unpaired_electrons_come_along(tmp_path, small_library):
    rows = (
        "C,17,gfn2,relaxed,not_converged a,,\n[CH3],9,gfn2,relaxed,,,\n[NH4+],20,gfn2,relaxed,,,\n"
    )
    rows += "O=O,12,gfn2,relaxed,,0,2.0\nN,11,gfn2,relaxed,,-0.25,many\n"
    path = write(tmp_path, f"{HEADER},charge,n_unpaired\n{rows}")
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    assert [one.flags for one in warm.known] == [("not_converged", "a"), (), (), (), ()]
    states = [(one.charge, one.n_unpaired) for one in warm.known]
    # the last row's columns mean something else
    assert states == [(0, 0), (0, 1), (1, 0), (0, 2), (0, 0)]


def test_the_table_of_a_run_is_read_by_the_next(tmp_path, small_library):
    flagged = Success({"ie": 15.25}, flags=("not_converged",))
    ended = (2.0, "w", 0.0, 1.0)
    found = Found(
        objective=Settings().objective(),
        protocol=SimulationProtocol(),
        known=(Known("CF", 13.5, None, flags=("bad",), charge=0, n_unpaired=0),),
        events=(),
        simulated=(
            Simulated(0, 0, "gfn2", "C", 0, *ended, flagged),
            Simulated(1, 1, "gfn2", "CO", 0, *ended, Success({"ie": 14.0})),
        ),
    )
    path = tmp_path / "training_data.csv"
    write_training_data(found, path)
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    assert [(one.smiles, one.value, one.flags) for one in warm.known] == [
        ("CF", 13.5, ("bad",)),
        ("C", 15.25, ("not_converged",)),
        ("CO", 14.0, ()),
    ]


def test_nothing_known(small_library):
    warm = read_warm_start(None, "ie_ev", SimulationProtocol(), small_library)
    assert warm.known == ()
    assert {kind: table.shape for kind, table in warm.features.items()} == {
        "fingerprints": (0, 32),
        "descriptors": (0, len(small_library.manifest.descriptors)),
    }


HEADER = "smiles,ie_ev,level,fidelity,flags"


def table(*rows):
    """Return a table of rows of SMILES and value, all computed as a run does by default."""
    return "\n".join([HEADER, *(f"{row},gfn2,relaxed," for row in rows)]) + "\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smiles\nC\n", ["columns", "Add ie_ev", "or say which columns hold"]),
        ("", ["columns", "smiles and ie_ev"]),
        (f"{HEADER}\n", ["at least one row"]),
        ("C,17\nN,16\n", ["columns", "'C, 17'", "its first line, which names the columns"]),
        ("smiles,ie_ev,ie_ev\nC,17,16\n", ["columns", "'ie_ev'", "each name once"]),
        ("smiles,ie_ev,level,level\nC,17,gfn2,ipea1\n", ["'level'", "each name once"]),
        (table("C,17", "xx,15"), ["line 3, smiles", "'xx'"]),
        (table("C,17", '"N\nQ",15'), ["line 4, smiles"]),
        (table("OCC,14", "CCO,13"), ["line 3, ie_ev", "13.0", "14.0", "same molecule"]),
        (table("C,"), ["at least one row with a value"]),
        (table("C,high"), ["line 2, ie_ev", "'high'"]),
        (table("C,nan"), ["at least one row with a value"]),
        (table("C,-inf"), ["line 2, ie_ev", "'-inf'"]),
        (table("C,1e200"), ["line 2, ie_ev", "'1e200'"]),
        (table("C,1_7"), ["line 2, ie_ev", "'1_7'"]),
        (table('C,"17,5"'), ["line 2, ie_ev", "'17,5'"]),
        (table("C,17,5"), ["line 2", "cells: 6, in the header: 5"]),
        (f"{HEADER}\nC\n", ["line 2", "cells: 1, in the header: 5"]),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, small_library, text, words):
    with pytest.raises(InputError) as caught:
        read_warm_start(write(tmp_path, text), "ie_ev", SimulationProtocol(), small_library)
    for word in [*words, "known.csv"]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smiles,ie_ev\nC,17\n", ["line 2, level: is missing", "level = gfn2 and fidelity = rel"]),
        ("smiles,ie_ev,level\nC,17,gfn2\n", ["line 2, fidelity: is missing", "'relaxed'"]),
        ("smiles,ie_ev,fidelity\nC,17,relaxed\n", ["line 2, level: is missing", "'gfn2'"]),
        (f"{HEADER}\nC,17,,relaxed,\n", ["line 2, level: is missing"]),
        (f"{HEADER}\nC,17,gfn2,,\n", ["line 2, fidelity: is missing"]),
        (f"{HEADER}\nC,17,ipea1,relaxed,\n", ["line 2, level", "'ipea1'", "'gfn2', this run's"]),
        (f"{HEADER}\nC,17,gfn2,mmff-geometry,\n", ["line 2, fidelity", "'relaxed', this run's"]),
        (f"{HEADER}\nC,17,experiment,,\n", ["line 2, level", "leave the line out"]),
    ],
)
def test_a_row_says_how_its_value_was_computed(tmp_path, small_library, text, words):
    with pytest.raises(InputError) as caught:
        read_warm_start(write(tmp_path, text), "ie_ev", SimulationProtocol(), small_library)
    for word in [*words, "known.csv"]:
        assert word in str(caught.value)


def test_of_rows_without_a_value_nothing_is_known(tmp_path, small_library):
    # not even how it was computed
    path = write(
        tmp_path, f"{HEADER}\nC,,,,\nN, NaN ,gfn2,relaxed,not_converged\nO,17,gfn2,relaxed,\n"
    )
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    assert [(item.smiles, item.value) for item in warm.known] == [("O", 17.0)]
    assert warm.n_without == 2


def test_any_file_of_values_as_the_user_says(tmp_path, small_library):
    path = tmp_path / "known.txt"
    path.write_text("C|17,5|gfn2|relaxed\nN||gfn2|relaxed\n")
    settings = load(
        campaign={
            "training_smiles_column": 1,
            "training_column": 2,
            "training_separator": "|",
            "training_no_header": True,
            "training_level": "gfn2",
        }
    )
    warm = read_warm_start(
        path,
        settings.campaign.training_column,
        SimulationProtocol(),
        small_library,
        settings.campaign.training_level,
        training_reading(settings),
    )
    assert [(item.smiles, item.value) for item in warm.known] == [("C", 17.5)]


def test_a_column_of_known_values_is_asked_for_by_a_setting(tmp_path, small_library):
    path = write(tmp_path, "structure,ie_ev\nC,17\n")
    words = r"name it by `--set campaign\.training_smiles_column=1`.*training_no_header=true`"
    reading = training_reading(load())
    with pytest.raises(InputError, match=words):
        read_warm_start(path, "ie_ev", SimulationProtocol(), small_library, reading=reading)


def test_values_of_another_protocol_are_for_runs_of_it(tmp_path, small_library):
    path = write(tmp_path, f"{HEADER}\nC,12.5,ipea1,mmff-geometry,\n")
    protocol = SimulationProtocol(options={"level": "ipea1", "fidelity": "mmff-geometry"})
    assert [item.value for item in read_warm_start(path, "ie_ev", protocol, small_library).known]
    own = SimulationProtocol(simulator="mine:gap")
    path = write(tmp_path, f"{HEADER}\nC,12.5,mine:gap,own,\n")
    assert [item.value for item in read_warm_start(path, "ie_ev", own, small_library).known]


@pytest.mark.parametrize(
    ("text", "level", "levels"),
    [
        ("smiles,ie_ev\nC,17\n", "gfn2", [""]),
        ("SMILES;IE_eV;fidelity\nC;17,0;relaxed\n", "gfn2", [""]),
        ("smiles,ie_ev\nC,12.61\n", "experiment", ["experiment"]),
        ("smiles,ie_ev,level\nC,12.61,experiment\nN,16,\n", "experiment", ["experiment"] * 2),
        (f"{HEADER}\nC,12.61,experiment,,\nN,16,gfn2,relaxed,\n", "experiment", ["experiment", ""]),
    ],
)
def test_a_level_that_no_row_says_may_be_said_of_all(tmp_path, small_library, text, level, levels):
    path = write(tmp_path, text)
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library, level)
    assert [item.level for item in warm.known] == levels


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEADER}\nC,17,gfn1,relaxed,\n", "line 2, level: got 'gfn1', expected 'gfn2'"),
        ("smiles,ie_ev,fidelity\nC,17,mmff-geometry\n", "line 2, fidelity: got 'mmff-geometry'"),
        ("smiles,ie_ev,level\nC,17,gfn2\n", "line 2, fidelity: is missing"),
    ],
)
def test_what_a_row_says_is_not_overruled(tmp_path, small_library, text, words):
    with pytest.raises(InputError, match=words):
        read_warm_start(write(tmp_path, text), "ie_ev", SimulationProtocol(), small_library, "gfn2")


def test_a_level_is_asked_for(tmp_path, small_library):
    path = write(tmp_path, "smiles,ie_ev\nC,12.61\n")
    with pytest.raises(InputError, match=r"level: is missing.*`--training-level LEVEL`"):
        read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)


def test_what_follows_a_blank_is_no_part_of_the_smiles(tmp_path, small_library):
    path = write(tmp_path, table("OC methanol,15.5"))
    [known] = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library).known
    assert known.smiles == "OC"


def test_a_missing_file_is_named(tmp_path, small_library):
    with pytest.raises(InputError, match="No such file"):
        read_warm_start(tmp_path / "none.csv", "ie_ev", SimulationProtocol(), small_library)


def test_a_value_that_is_given_twice_counts_once(tmp_path, small_library):
    path = write(tmp_path, table("OCC,14", "CCO,14"))
    warm = read_warm_start(path, "ie_ev", SimulationProtocol(), small_library)
    assert [item.smiles for item in warm.known] == ["OCC"]
    assert {len(table) for table in warm.features.values()} == {1}


def test_a_pipe_is_no_table_of_values(tmp_path, small_library):
    os.mkfifo(tmp_path / "values.csv")
    with pytest.raises(InputError, match=r"campaign\.training_data.*expected a file"):
        read_warm_start(tmp_path / "values.csv", "ie_ev", SimulationProtocol(), small_library)


def test_a_salt_is_the_piece_that_the_library_has_taken(tmp_path):
    (tmp_path / "salts.smi").write_text("CCN.Cl\nCO\n")
    files, spec = Files.of([str(tmp_path / "salts.smi")]), BuildSpec(fragments="largest")
    library = build(files, tmp_path / "library", spec)
    found = known_values([("a.csv, line 2", "CCN.Cl", 14.0)], "ie_ev", library)
    assert [item.molecule_id for item in found.known] == [0]
    again = stored_warm_start(found.known, library)
    for warm in (found, again):
        expected = library.features("descriptors", [0])
        assert np.array_equal(warm.features["descriptors"], expected)

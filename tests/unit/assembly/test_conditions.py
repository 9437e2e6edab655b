"""What runs, replays and suggestions make of conditions."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

import molloop
from molloop.assembly import conditions
from molloop.assembly.conditions import select_for
from molloop.cli.replay import replay
from molloop.cli.suggest import suggest
from molloop.errors import InputError
from molloop.replay.table import Table, open_table

LINES = ["C", "CC", "CCC", "O", "CO", "CCO", "C[NH3+]", "[Th]", "[Na+].[Cl-]", "CC(=O)[O-]"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("charged")
    (folder / "a.smi").write_text("\n".join(LINES) + "\n")
    return molloop.build_library(folder / "a.smi", folder / "library", n_processes=1)


def meant(library, **sections):
    selection, remarks = select_for(molloop.load(**sections), library)
    return [LINES[row] for row in np.flatnonzero(selection.mask())], remarks


def test_what_xtb_cannot_compute_is_left_out_and_charges_are_told(library):
    names, remarks = meant(library)
    assert names == [one for one in LINES if one not in ("[Th]", "[Na+].[Cl-]")]
    assert remarks == (
        "8 of 10 molecules meet the conditions (left out by one fragment: 1; elements up to number "
        "86, as xTB has: 1)",
        "Charges differ: 1 of charge -1, 6 of charge 0, 1 of charge 1. Their values do not "
        "compare, as a cation's IE is a second ionization; [conditions] charge = 0 leaves the "
        "neutral ones.",
    )


def test_what_a_level_of_dft_cannot_compute_is_left_out(tmp_path):
    (tmp_path / "a.smi").write_text("C\nC[Hg]C\n[Ce]\nCI\n")
    library = molloop.build_library(tmp_path / "a.smi", tmp_path / "library", n_processes=1)
    for level, n in (("gfn2", 4), ("b3lyp/def2-svp", 3)):
        settings = molloop.load(simulation={"level": level})
        selection, remarks = select_for(settings, library)
        assert selection.mask().sum() == n
    assert "elements up to number 86 without 58 to 71, as b3lyp/def2-svp has: 1" in remarks[0]


def test_neutral_ones_alone_are_told_no_more(library):
    names, remarks = meant(library, conditions={"charge": 0, "min_heavy_atoms": 2})
    assert names == ["CC", "CCC", "CO", "CCO"]
    assert remarks == (
        "4 of 10 molecules meet the conditions (left out by one fragment: 1; elements up to number "
        "86, as xTB has: 1; min_heavy_atoms = 2: 2; charge = 0: 2)",
    )


def test_stereo_that_a_file_does_not_give_is_told(tmp_path):
    (tmp_path / "a.smi").write_text("FC=CF\nF/C=C/F\nCC(F)Cl\nC\n")
    library = molloop.build_library(tmp_path / "a.smi", tmp_path / "library", n_processes=1)
    told = ": each gets the value of one of its isomers."
    said = "Stereo is not given in full for"
    assert select_for(molloop.load(), library)[1] == (f"{said} 2 molecules{told}",)
    settings = molloop.load(conditions={"elements": ["C", "F"]})
    assert select_for(settings, library)[1][1:] == (f"{said} 1 molecule{told}",)


@pytest.fixture(scope="module")
def in_space(tmp_path_factory):
    """Water and methane in space, ethanol without hydrogens, methanol flat."""
    folder = tmp_path_factory.mktemp("space")
    with Chem.SDWriter(str(folder / "a.sdf")) as writer:
        for smiles, is_whole in (("O", True), ("CCO", False), ("C", True)):
            molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
            rdDistGeom.EmbedMolecule(molecule, randomSeed=1)
            writer.write(molecule if is_whole else Chem.RemoveHs(molecule))
        writer.write(Chem.MolFromSmiles("CO"))
    return molloop.build_library(folder / "a.sdf", folder / "library", n_processes=1)


@pytest.mark.parametrize("name", ["fidelity", "start_geometry"])
def test_what_has_no_geometry_is_left_out_where_it_is_asked_for(in_space, name):
    value = {"fidelity": "input-geometry", "start_geometry": "input"}[name]
    selection, remarks = select_for(molloop.load(simulation={name: value}), in_space)
    assert selection.mask().tolist() == [True, False, True, False]
    left = (
        "2 of 4 molecules meet the conditions (left out by the need of a geometry in the file: 2)"
    )
    assert remarks == (left,)
    assert select_for(molloop.load(), in_space)[0].n_left == 4


def test_a_file_without_any_geometry_is_told_before_anything_runs(library, tmp_path):
    settings = molloop.load(
        simulation={"fidelity": "input-geometry"}, library={"source": str(library.folder)}
    )
    with pytest.raises(InputError, match="a geometry in the file") as caught:
        molloop.run(settings, tmp_path / "run")
    assert "3D coordinates of all atoms" in str(caught.value)
    assert "loosen" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_another_simulator_implies_nothing(library):
    assert meant(library, property={"simulator": "my:own", "name": "x"}) == (LINES, ())


def test_a_plain_library_has_nothing_to_be_told(small_library):
    selection, remarks = select_for(molloop.load(), small_library)
    assert (selection.path, selection.n_left, remarks) == ("", 24, ())


def table_of(library):
    """The more heavy atoms, the larger the value."""
    values = np.array([float(len(library.smiles(key))) for key in range(library.n_molecules)])
    return Table("t", "ie_ev", library, values, np.ones(len(values)))


SETTINGS = {
    "conditions": {"excluded_smarts": ["[OX2H]", "F"]},
    "campaign": {"initial_training_count": 3, "max_training_count": 40, "schedule": "batch"},
}
# of the 24 small molecules
LEFT_OUT = {"CO", "CCO", "OC=O", "OO", "CF", "FC(F)F", "CCF"}


def test_a_replay_chooses_and_counts_what_meets_the_conditions(small_library):
    table, everything = table_of(small_library), range(small_library.n_molecules)
    expected = {small_library.smiles(key) for key in everything} - LEFT_OUT
    played = molloop.replay_table(table, molloop.load(**SETTINGS), top_k=3)
    assert {item.smiles for item in played.results.simulated} == expected
    assert played.results.stopped.reason == (
        "every molecule of the library that meets the conditions has been tried"
    )
    longest = {small_library.smiles(int(key)) for key in played.truth.top}
    assert longest <= expected  # not FC(F)F
    assert played.truth.best == 6.0  # of CC(C)C
    assert played.curves.recall[-1] == 1.0


def test_comparisons_and_searches_obey(small_library, tmp_path):
    table = table_of(small_library)
    settings = molloop.load(**SETTINGS | {"campaign": {"max_training_count": 12}})
    found = molloop.compare_policies(table, ["ridge"], settings, n_seeds=2, n_processes=1)
    ids = np.flatnonzero(np.isfinite(found.truth.values))
    assert {small_library.smiles(int(key)) for key in ids}.isdisjoint(LEFT_OUT)
    for curves in found.curves.values():
        assert all(np.isfinite(one.best).all() for one in curves)  # what is left out has no value
        assert not any(one.failure for one in curves)


def test_where_no_value_meets_them_it_is_told(small_library):
    table = table_of(small_library)
    table.values[:] = np.nan
    table.values[0] = 3.0  # of methane
    settings = molloop.load(conditions={"min_heavy_atoms": 2})
    with pytest.raises(InputError, match="one molecule with a value of ie_ev"):
        molloop.replay_table(table, settings)


# of LINES; the two that xTB cannot compute are the largest
IES = [4.0, 3.0, 5.0, 2.0, 6.0, 1.0, 7.0, 9.0, 8.0, 0.5]
SHORT = {"initial_training_count": 3, "max_training_count": 10, "schedule": "batch"}
TOLD = (
    "Charges differ: 1 of charge -1, 8 of charge 0, 1 of charge 1. Their values do not compare, as "
    "a cation's IE is a second ionization; [conditions] charge = 0 leaves the neutral ones."
)


@pytest.fixture
def known(library):
    return Table("t", "ie_ev", library, np.array(IES), np.ones(10))


def test_no_molecule_of_a_known_value_is_left_out_of_a_replay(known):
    played = molloop.replay_table(known, molloop.load(campaign=SHORT), top_k=2)
    assert played.results.values == dict(enumerate(IES))
    assert (played.truth.best, played.truth.top.tolist()) == (9.0, [7, 8])
    assert played.remarks == (TOLD,)


def test_conditions_of_a_user_s_leave_them_out(known):
    settings = molloop.load(campaign=SHORT, conditions={"charge": 0, "elements": ["C", "N", "O"]})
    played = molloop.replay_table(known, settings, top_k=2)
    assert played.results.values == dict(enumerate(IES[:6]))
    assert (played.truth.best, played.truth.top.tolist()) == (6.0, [4, 2])
    assert played.remarks == (
        "6 of 10 molecules meet the conditions (left out by elements = C, N, O: 2; charge = 0: 2)",
    )


def test_comparisons_and_searches_tell_of_charges(known):
    settings = molloop.load(campaign=SHORT)
    few = {"settings": settings, "top_k": 2, "n_processes": 1}
    found = molloop.compare_policies(known, ["ridge"], n_seeds=1, **few)
    assert (found.truth.best, found.remarks) == (9.0, (TOLD,))
    tuned = molloop.tune_settings(known, n_trials=3, **few)
    assert (tuned.best.value, tuned.remarks) == (9.0, (TOLD,))


def test_charges_are_not_told_of_another_property(library):
    table = Table("t", "logp", library, np.array(IES), np.ones(10))
    assert molloop.replay_table(table, molloop.load(campaign=SHORT), top_k=2).remarks == ()
    assert molloop.suggest(library, {"C": 4.0, "O": 2.0}, 1, column="logp").charges == ""


def test_the_command_finds_conditions_once_and_tells_of_charges(tmp_path, monkeypatch, capsys):
    calls = []

    def count(*arguments):
        calls.append(arguments)
        return select(*arguments)

    select = conditions.select
    monkeypatch.setattr(conditions, "select", count)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = [f"{smiles},{value}" for smiles, value in zip(LINES, IES, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["smiles,ie_ev", *rows]) + "\n")
    play = {"max_training_count": 10, "assignments": ["campaign.initial_training_count=3"]}
    replay(str(tmp_path / "a.csv"), **play)
    assert len(calls) == 1
    shown = capsys.readouterr().out
    assert shown.splitlines()[0] == TOLD
    assert "the best value 9 of 9" in shown
    replay(str(tmp_path / "a.csv"), **play, is_quiet=True)
    assert "Charges differ" not in capsys.readouterr().out


def test_suggestions_tell_of_charges_that_differ(library):
    values = {"C": 4.0, "O": 2.0}
    found = molloop.suggest(library, values, 3, column="ie_ev")
    assert (found.charges, found.conditions) == (TOLD, "")
    neutral = molloop.suggest(library, values, 3, column="ie_ev", conditions={"charge": 0})
    assert neutral.charges == ""


def test_the_command_tells_of_charges_beside_its_suggestions(library, tmp_path, capsys):
    values = tmp_path / "values.csv"
    values.write_text("smiles,ie_ev\nC,4\nO,2\n")
    suggest(str(library.folder), values, 3)
    assert capsys.readouterr().err.splitlines() == ["2 values of ie_ev", TOLD]
    suggest(str(library.folder), values, 3, is_quiet=True)
    assert capsys.readouterr().err == ""


VALUES = {"C": 4.0, "N": 1.0, "CC": 3.5, "C=O": 1.5, "CCCCCC": 3.0}


def test_suggestions_obey(small_library):
    wanted = SETTINGS["conditions"]
    found = molloop.suggest(small_library, VALUES, 100, column="x", conditions=wanted)
    names = {one.smiles for one in found.molecules}
    everything = {small_library.smiles(key) for key in range(small_library.n_molecules)}
    assert names == everything - LEFT_OUT - set(VALUES)
    assert found.conditions.startswith("17 of 24 molecules meet the conditions (left out by ")
    assert molloop.suggest(small_library, VALUES, 3, column="x").conditions == ""


def test_nothing_that_meets_them_is_left_to_suggest(small_library):
    with pytest.raises(InputError, match="all 2 molecules of the library that meet the conditions"):
        molloop.suggest(small_library, VALUES, conditions={"required_smarts": "[CH4,NH3]"})


def test_a_condition_that_is_none_is_told_before_a_library_is_built(tmp_path):
    settings = molloop.load(
        library={"source": str(tmp_path / "missing.smi")}, conditions={"elements": ["Qq"]}
    )
    with pytest.raises(InputError, match=r"conditions\.elements: got 'Qq'"):
        molloop.run(settings, tmp_path / "run")


def test_rows_of_a_table_without_a_molecule_or_with_one_again_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\nC,1\nxx,5\nOC,2\nCO,3\nN,4\nyy,6\nCC,2.5\nO,3.5\n")
    table = open_table(str(path), tmp_path / "cache", "y")
    played = molloop.replay_table(table, molloop.load(campaign=SHORT), top_k=2)
    assert (played.truth.best, sorted(played.results.values.values())) == (4, [1, 2, 2.5, 3.5, 4])
    invalid, repeated = played.remarks
    assert invalid.startswith("2 rows of the table hold no molecule: left out (")
    assert repeated.startswith(
        "1 row of the table holds a molecule of an earlier row: the first value counts ("
    )
    assert ",5,,CO" in (table.library.folder / "duplicates.csv").read_text()


def test_the_first_value_of_a_molecule_counts(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\nCO,\nOC,3\nC,\nC,2\nN,1\nxx,9\nN,5\nO,\nO,\n")
    table = open_table(str(path), tmp_path / "cache", "y")
    values = {table.library.smiles(key): value for key, value in enumerate(table.values)}
    assert np.isnan(values.pop("O"))
    assert values == {"CO": 3, "C": 2, "N": 1}

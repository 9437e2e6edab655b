"""What runs, replays and suggestions make of conditions."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdDistGeom

import molloop
from molloop.assembly.conditions import select_for
from molloop.errors import InputError
from molloop.replay.table import Table

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


def test_neutral_ones_alone_are_told_no_more(library):
    names, remarks = meant(library, conditions={"charge": 0, "min_heavy_atoms": 2})
    assert names == ["CC", "CCC", "CO", "CCO"]
    assert remarks == (
        "4 of 10 molecules meet the conditions (left out by one fragment: 1; elements up to number "
        "86, as xTB has: 1; min_heavy_atoms = 2: 2; charge = 0: 2)",
    )


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
    left = "2 of 4 molecules meet the conditions (left out by a geometry in the file: 2)"
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


VALUES = {"C": 4.0, "N": 1.0, "CC": 3.5, "C=O": 1.5, "CCCCCC": 3.0}


def test_suggestions_obey(small_library):
    conditions = SETTINGS["conditions"]
    found = molloop.suggest(small_library, VALUES, 100, column="x", conditions=conditions)
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

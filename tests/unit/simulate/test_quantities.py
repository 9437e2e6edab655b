"""Quantities by real xTB: recipes over shared calculations, and where a plain one is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.data import atomic_masses
from ase.units import _amu, _e, _hbar, invcm
from threadpoolctl import threadpool_limits

from molloop.config.load import load, parse
from molloop.errors import InputError, SimulationError
from molloop.goal import Direction
from molloop.molecule import Geometry, Molecule
from molloop.simulate.calculate import Calculations
from molloop.simulate.given import molecule_of
from molloop.simulate.ionization import quantities_of
from molloop.simulate.levels import BORROWED, LEVELS
from molloop.simulate.recipes import RECIPES, Computed
from molloop.simulate.solvents import SOLVENTS
from molloop.simulate.structure import start_structure
from molloop.simulate.xtb import XTB


def computed(smiles, quantity="ie", *others, kept=None, **options):
    molecule = Molecule(0, smiles, kept=kept or {})
    return quantities_of(molecule, quantity=quantity, quantities=others, **options)


def test_recipes_by_hand():
    """E0 = -10, E+ = -1, E- = -12; relaxed: E+ = -2, E- = -13; E0 there: -9.5 and -9.25 (eV)."""
    energies_ev = {"molecule": -10.0, "ion": -1.0, "anion": -12.0, "cation_relaxed": -2.0}
    energies_ev |= {"anion_relaxed": -13.0, "molecule_at_cation": -9.5, "molecule_at_anion": -9.25}
    of = Computed(
        energies_ev, lambda: pytest.fail("orbitals"), -4.0, electron_ev=4.846, zero_v=4.44
    )
    values = {name: RECIPES[name].value(of) for name in RECIPES if name not in ORBITALS}
    assert values == pytest.approx(
        {
            "ie": 5.0,
            "ea": -2.0,
            "ie_adiabatic": 4.0,
            "ea_adiabatic": -1.0,
            "fundamental_gap": 7.0,
            "hole_reorganisation": 1.5,
            "electron_reorganisation": 1.75,
            "oxidation_potential": 8.0 - 4.846 - 4.44,
            "reduction_potential": 3.0 - 4.846 - 4.44,
        }
    )


ORBITALS = ("homo", "lumo", "orbital_gap", "dipole")


def test_quantities_share_their_calculations():
    with threadpool_limits(1):  # as in a worker: the order of sums decides the last digits
        found, alone = computed("CO", "fundamental_gap", "ie", "ea", *ORBITALS), computed("CO")
    assert list(found.calculations) == ["molecule", "ion", "anion"]
    values = found.values
    assert values["fundamental_gap"] == pytest.approx(values["ie"] - values["ea"], abs=1e-9)
    assert values["orbital_gap"] == pytest.approx(values["lumo"] - values["homo"])
    assert values["ie"] == alone.value


def test_a_dipole_is_in_debye_about_the_centre_of_mass():
    # tblite 0.8.0, GFN2-xTB; water's experimental one is 1.85 Debye
    assert computed("O", "dipole").value == pytest.approx(2.217, abs=0.005)
    # an ammonium's is 0 wherever it stands, as its centre of mass is that of its charge
    assert computed("[NH4+]", "dipole").value == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("smiles", "fall_ev"),
    # tblite 0.8.0, GFN2-xTB: below the end of a relaxation that keeps the molecule's symmetry.
    # Cyclopropane's goes to the cation with one long bond of 1.65 Å.
    [("C", 0.33), ("[SiH4]", 0.56), ("c1ccccc1", 0.166), ("CC", 0.061), ("C1CC1", 0.222)],
)
def test_an_ion_leaves_the_saddle_of_its_symmetry(smiles, fall_ev):
    calculations = relaxed_cation(smiles)
    held = calculations.relaxed(calculations.geometries["molecule"], 1)
    fall = held.energy_ev - calculations.done["cation_relaxed"].energy_ev
    assert fall == pytest.approx(fall_ev, abs=0.005)
    assert list(calculations.flags) == ["cation_ends_differ"]
    assert wavenumbers(calculations)[0] > -50
    assert wavenumbers(calculations, held.geometry)[0] < -500


def test_the_cation_of_allene_is_twisted():
    # 0.39 eV below the vertical one: its CH2 groups turn out of the right angle
    found = computed("C=C=C", "ie_adiabatic", "ie")
    assert found.values["ie"] - found.values["ie_adiabatic"] == pytest.approx(0.389, abs=0.005)
    assert wavenumbers(relaxed_cation("C=C=C"))[0] > -50


def relaxed_cation(smiles):
    structure = start_structure(smiles, elements=range(1, 87), max_atoms=200)
    calculations = Calculations(structure, LEVELS["gfn2"], "relaxed", "", smiles)
    calculations.compute("cation_relaxed")
    return calculations


def wavenumbers(calculations, geometry=None):
    """Return wavenumbers (1/cm) of the cation by finite differences, imaginary ones negative."""
    geometry = geometry or calculations.geometries["cation"]
    step_angstrom = 0.005
    calculator = XTB("GFN2-xTB", geometry, charge=1, n_unpaired=1, accuracy=0.05)
    atoms = Atoms(geometry.numbers, geometry.positions_angstrom, calculator=calculator)
    start = atoms.positions.copy()
    rows = []
    for coordinate in range(start.size):
        forces = []
        for sign in (1, -1):
            moved = start.copy()
            moved.flat[coordinate] += sign * step_angstrom
            atoms.positions = moved
            forces.append(atoms.get_forces().ravel().copy())
        rows.append((forces[1] - forces[0]) / (2 * step_angstrom))
    hessian = np.array(rows)
    weights = np.repeat(atomic_masses[geometry.numbers], 3) ** -0.5
    curvatures = np.linalg.eigvalsh((hessian + hessian.T) / 2 * weights[:, None] * weights)
    energies_ev = _hbar * 1e10 / np.sqrt(_e * _amu) * np.sqrt(np.abs(curvatures))
    return np.sign(curvatures) * energies_ev / invcm


def test_both_ions_are_relaxed_once_for_several_quantities():
    names = ("ie_adiabatic", "ea_adiabatic", "hole_reorganisation", "electron_reorganisation")
    found = computed("O=C1C=CC(=O)C=C1", *names)
    assert list(found.geometries) == ["molecule", "cation", "anion"]
    assert len(found.calculations) == 7
    assert {one.geometry for one in found.calculations.values()} == set(found.geometries)
    # quinones are acceptors: its anion is bound, and little else than relaxed
    assert found.flags == ()
    assert 0 < found.values["electron_reorganisation"] < 1


def test_an_ion_whose_bond_breaks_is_flagged():
    # Cl2-'s bond is as long as 1.25 times that of Cl2; one of CCl4-'s is gone
    for smiles in ("ClCl", "ClC(Cl)(Cl)Cl"):
        assert "anion_rearranged" in computed(smiles, "ea_adiabatic").flags


def test_an_anion_that_is_not_bound_is_flagged():
    # experiment: benzene and ethene have no bound anion, benzoquinone and SO2 have (1.9, 1.1 eV)
    for smiles, is_bound in {"c1ccccc1": False, "C=C": False, "O=S=O": True}.items():
        assert ("anion_not_bound" in computed(smiles, "ea").flags) != is_bound, smiles
    assert "anion_not_bound" in computed("C=C", "ie", "ea").flags
    # a recipe of both anions says so of each
    alone = computed("C=C", "electron_reorganisation").flags
    assert {"anion_not_bound", "relaxed_anion_not_bound"} <= set(alone)
    assert "anion_not_bound" not in computed("C=C", "ea_adiabatic").flags
    assert computed("C=C", "ie").flags == ()


def test_a_diradical_s_spin_is_doubtful():
    assert "spin_doubtful" in computed("O=O").flags
    triplet = computed("[O][O]")
    assert triplet.flags == ()
    asked = computed("O=O", multiplicity=3)
    assert asked.calculations["molecule"].n_unpaired == 2
    assert asked.value == pytest.approx(triplet.value, abs=1e-3)
    assert computed("O=O", kept={"multiplicity": "3"}).value == asked.value
    # the singlet's energy is below the triplet's by 4 ln 2 kT of electronic entropy, at 300 K
    energies = [one.calculations["molecule"].energy_ev for one in (triplet, computed("O=O"))]
    assert energies[0] - energies[1] == pytest.approx(4 * np.log(2) * 0.025852, abs=0.002)


@pytest.mark.parametrize("multiplicity", [2, 19])
def test_a_multiplicity_that_its_electrons_cannot_have_is_a_failure(multiplicity):
    with pytest.raises(
        SimulationError, match=f"got {multiplicity}, expected an odd number"
    ) as told:
        computed("O=O", multiplicity=multiplicity)
    assert told.value.kind == "spin"
    with pytest.raises(SimulationError, match="got three, expected"):
        computed("O=O", kept={"multiplicity": "three"})


def test_borrowed_parameters_are_flagged():
    assert len(BORROWED["ipea1"]) == 37
    # experiment: 24.6 eV
    helium = computed("[He]", level="ipea1")
    assert helium.value == pytest.approx(38.3, abs=0.1)
    assert helium.flags == ("borrowed_parameters",)
    assert computed("[He]").flags == computed("O", level="ipea1").flags == ()


def test_solvents_are_of_equilibrium():
    assert computed("O", solvent="water").value == pytest.approx(14.14, abs=0.01)
    assert computed("O", solvent="hexane").value == pytest.approx(16.29, abs=0.01)
    assert {one.solvent for one in computed("O", solvent="water").calculations.values()} == {
        "water"
    }
    label = load(simulation={"solvent": "H2O"}).protocol().label
    assert label == "GFN2-xTB ΔSCF, uncorrected, equilibrium solvation (ALPB) in water"


@pytest.mark.parametrize("method", ["GFN1-xTB", "GFN2-xTB"])
def test_tblite_has_every_solvent(method):
    helium = Geometry(np.array([2], np.uint8), np.zeros((1, 3)))
    for name in SOLVENTS:
        XTB(method, helium, charge=0, n_unpaired=0, accuracy=1.0, solvent=name)


def test_a_potential_is_against_an_electrode():
    name = "reduction_potential"
    potential = {
        reference: computed("O=C1C=CC(=O)C=C1", name, solvent="acetonitrile", reference=reference)
        for reference in ("SHE", "Fc")
    }
    # experiment: -0.51 V against SCE in acetonitrile, which is some -0.27 V against SHE
    assert potential["SHE"].value == pytest.approx(-0.378, abs=0.02)
    # 4.988 V less 4.44 V
    assert potential["SHE"].value - potential["Fc"].value == pytest.approx(0.548, abs=1e-9)


def test_bounds_depend_on_the_charge():
    # the second IE of helium is 54.4 eV; sulfate's dianion does not hold its electron
    assert RECIPES["ie"].bounds(0) == (0.0, 50.0)
    assert RECIPES["ie"].bounds(1)[1] > 54.4
    assert RECIPES["ie"].bounds(-2)[0] < 0
    assert RECIPES["ea"].bounds(1)[1] > 24.6


def test_a_further_quantity_that_fails_is_left_out(monkeypatch):
    recipe = replace(RECIPES["ea"], bounds=lambda charge: (100.0 + charge, 101.0))
    monkeypatch.setitem(RECIPES, "ea", recipe)
    found = computed("O", "ie", "ea", "homo")
    assert list(found.values) == ["ie", "homo"]
    assert found.flags == ("no_ea",)
    with pytest.raises(SimulationError, match=r"expected between 100.0 and 101.0"):
        computed("O", "ea")


def test_a_result_that_is_used_is_not_written_into():
    water = start_structure("O", elements=range(1, 87), max_atoms=200).geometry
    atoms = Atoms(water.numbers, water.positions_angstrom)
    atoms.calc = XTB("GFN2-xTB", water, charge=0, n_unpaired=0, accuracy=1.0)
    energy_ev, forces = atoms.get_potential_energy(), atoms.get_forces()
    orbitals, before = atoms.calc.orbitals(), forces.copy()
    atoms.positions[0] += 0.3
    assert atoms.get_potential_energy() != energy_ev
    assert np.array_equal(forces, before)
    assert orbitals.homo_ev != atoms.calc.orbitals().homo_ev


def test_charges_are_whole():
    water = Geometry(np.array([8, 1, 1], np.uint8), np.eye(3))
    with pytest.raises(TypeError):
        XTB("GFN2-xTB", water, charge=0.99999999, n_unpaired=1, accuracy=1.0)
    ammonium = Atoms(
        "NH4", [[0, 0, 0], [0.6, 0.6, 0.6], [-0.6, -0.6, 0.6], [-0.6, 0.6, -0.6], [0.6, -0.6, -0.6]]
    )
    ammonium.info["charge"] = 0.99999999
    assert molecule_of(ammonium).smiles == "[NH4+]"
    for charge in (0.5, "1", None, float("nan")):
        ammonium.info["charge"] = charge
        with pytest.raises(SimulationError, match="no whole number"):
            molecule_of(ammonium)


def test_a_name_is_all_that_a_user_writes():
    for name in ("ea", "EA", "Ea"):
        found = load(property={"name": name})
        assert found.objective().quantity == RECIPES["ea"].quantity
        assert found.objective().quantity.column == "ea_ev"
    gap = load(property={"name": "fundamental_gap"})
    assert gap.objective().direction is Direction.MINIMISE
    assert load(property={"name": "dipole"}).objective().quantity.column == "dipole_debye"
    asked = {"name": "ie", "direction": "minimise"}
    assert load(property=asked).objective().direction is Direction.MINIMISE
    assert load(property={"name": "ie"}).property == load().property


def test_a_stored_configuration_is_read_back():
    given = load(
        property={"name": "oxidation_potential"},
        simulation={"solvent": "DMF", "quantities": ["EA", "dipole"], "reference": "fc"},
    )
    read = parse(given.to_toml())
    assert read.property == given.property
    assert read.protocol() == given.protocol()
    assert read.protocol().outcome_level == "gfn2, in dimethylformamide, against Fc"
    assert [one.column for one in read.protocol().further] == ["ea_ev", "dipole_debye"]


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"property": {"name": "eaa"}}, "expected a name among ie, ea, ie_adiabatic"),
        ({"property": {"name": "ea", "unit": "Ha"}}, "expected the unit eV for EA"),
        ({"simulation": {"solvent": "wather"}}, "expected one of acetone, acetonitrile"),
        ({"simulation": {"solvent": "water", "level": "ipea1"}}, "ipea1 has no parameters of ALPB"),
        ({"simulation": {"quantities": ["eb"]}}, "expected names among ie, ea"),
        ({"simulation": {"reference": "Ag"}}, "expected one of SHE, SHE-4.28, Fc, Li"),
        ({"property": {"name": "oxidation_potential"}}, "expected a solvent"),
        (
            {"property": {"name": "ie_adiabatic"}, "simulation": {"fidelity": "mmff-geometry"}},
            "expected relaxed, as ie_adiabatic wants relaxed ions",
        ),
        ({"simulation": {"multiplicity": 0}}, "simulation.multiplicity: got 0"),
    ],
)
def test_what_cannot_be_computed_is_said_before_a_run(sections, words):
    with pytest.raises(InputError, match=words):
        load(**sections)

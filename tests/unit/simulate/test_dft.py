"""Real PySCF on tiny molecules, against published numbers.

The tests of other programs publish them: of GPU4PySCF, gpu4pyscf/dft/tests/test_rks.py and
test_uks.py (from Q-Chem and PySCF, without density fitting); of Psi4,
tests/pytests/test_dft_benchmarks.py (from Q-Chem and ORCA) and its sample of r2SCAN-D4.
"""

import gc
import json
import os
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
from ase.units import Hartree

from molloop.config.load import load as load_settings
from molloop.errors import InputError, SimulationError
from molloop.molecule import Geometry, Molecule
from molloop.simulate.dft import KohnShamPoint
from molloop.simulate.functionals import (
    AUXILIARY,
    BASES,
    ELEMENTS,
    FUNCTIONALS,
    LAST_WITH_ALL_ELECTRONS,
    Basis,
    Functional,
    KohnSham,
)
from molloop.simulate.ionization import quantities_of
from molloop.simulate.levels import LEVELS
from molloop.simulate.load import load
from molloop.simulate.recipes import RECIPES
from molloop.simulate.resources import Resources
from molloop.simulate.simulators import SimulatorError
from molloop.simulate.versions import told, versions

B3LYP = LEVELS["b3lyp/def2-svp"].kohn_sham
HARTREE_FOCK = KohnSham(Functional("HF", "hf", 1, ""), BASES["def2-svp"])
FITTED = 5e-5  # Hartree, by which density fitting moves a total energy of water


def linear(*atoms):
    """Return atoms on a line: number and place (Å) of each."""
    numbers, places = zip(*atoms, strict=True)
    positions = np.zeros((len(atoms), 3))
    positions[:, 2] = places
    return Geometry(np.array(numbers, np.uint8), positions)


def water(*positions):
    return Geometry(np.array([8, 1, 1], np.uint8), np.array(positions, float))


NITROGEN = linear((7, 0), (7, 1.1))
CYANIDE = linear((1, -1.065), (6, 0), (7, 1.153))
OF_GPU4PYSCF = water((0, 0, 0.1174), (-0.757, 0, -0.4696), (0.757, 0, -0.4696))
OF_PSI4 = water((-1.551007, -0.11452, 0), (-1.934259, 0.762503, 0), (-0.599677, 0.040712, 0))
BESIDE = water(
    (1.350625, 0.111469, 0), (1.680398, -0.373741, -0.758561), (1.680398, -0.373741, 0.758561)
)
DIMER = Geometry(
    np.concatenate([OF_PSI4.numbers, BESIDE.numbers]),
    np.concatenate([OF_PSI4.positions_angstrom, BESIDE.positions_angstrom]),
)


def point(geometry, theory=B3LYP, charge=0, n_unpaired=None, cores=1, **more):
    n_electrons = int(geometry.numbers.sum()) - charge
    n_unpaired = n_electrons % 2 if n_unpaired is None else n_unpaired
    given = {"charge": charge, "n_unpaired": n_unpaired, "label": "it"}
    return KohnShamPoint(theory, geometry, resources=Resources(cores), **given, **more)


def hartree(geometry, functional, basis, charge=0):
    theory = KohnSham(functional, Basis(basis, "", 20.0))
    return point(geometry, theory, charge).energy_ev / Hartree


@pytest.mark.parametrize(
    ("name", "charge", "energy_hartree"),
    [
        ("b3lyp", 0, -76.4666495594),
        ("b3lyp", 1, -75.9987351592),
        ("wb97x-d3bj", 0, -76.4776127645),
    ],
)
def test_total_energies_of_water(name, charge, energy_hartree):
    found = hartree(OF_GPU4PYSCF, FUNCTIONALS[name], "def2-tzvpp", charge)
    assert found == pytest.approx(energy_hartree, abs=FITTED)


def test_the_energy_of_water_by_r2scan():
    # published with D4, to which PySCF adds the same
    with_d4 = replace(FUNCTIONALS["r2scan"], xc="r2scan-d4")
    bent = np.radians(104.5)
    geometry = water((0, 0, 0), (0.96, 0, 0), (0.96 * np.cos(bent), 0.96 * np.sin(bent), 0))
    assert hartree(geometry, with_d4, "cc-pvdz") == pytest.approx(-76.38150398, abs=FITTED)


def test_the_ionization_energy_of_water():
    ion, molecule = (hartree(OF_PSI4, FUNCTIONALS["b3lyp"], "6-31g", charge) for charge in (1, 0))
    assert ion - molecule == pytest.approx(0.4572870674, abs=1e-5)


def test_two_waters_attract_each_other_with_dispersion():
    pair, first, second = (
        hartree(one, FUNCTIONALS["wb97x-d3bj"], "cc-pvdz") for one in (DIMER, OF_PSI4, BESIDE)
    )
    assert pair - first - second == pytest.approx(-0.01295664452, abs=1e-5)


@pytest.mark.filterwarnings("ignore:remove_linear_dep_:DeprecationWarning")
def test_a_wrong_minimum_is_left():
    # Hartree-Fock's ion of N2 ends 10 eV above the lowest one from this guess, converged
    molecule = point(NITROGEN, HARTREE_FOCK)
    ion = point(NITROGEN, HARTREE_FOCK, 1, guess="huckel")
    assert 15 < ion.energy_ev - molecule.energy_ev < 15.5
    # experiment: 15.58 eV
    for more in ({"guess": "huckel"}, {"near": point(NITROGEN)}, {}):
        ie_ev = point(NITROGEN, charge=1, **more).energy_ev - point(NITROGEN).energy_ev
        assert ie_ev == pytest.approx(15.801, abs=0.001)


def test_the_ion_of_ozone_is_a_minimum(monkeypatch):
    bent = np.radians(116.8)
    places = np.array([(0, 0, 0), (1, 0, 0), (np.cos(bent), np.sin(bent), 0)])
    ozone = Geometry(np.array([8, 8, 8], np.uint8), 1.278 * places)
    found = point(ozone, charge=1)
    monkeypatch.setattr("molloop.simulate.dft.LEAST_CURVATURE", -np.inf)
    # what PySCF 2.14 converges to from atoms
    assert point(ozone, charge=1).energy_ev - found.energy_ev == pytest.approx(0.395, abs=0.03)


def test_a_saddle_that_is_not_left_is_flagged_and_stays(monkeypatch):
    minimum = point(NITROGEN, HARTREE_FOCK, 1)
    monkeypatch.setattr("molloop.simulate.dft.LOWER_HARTREE", 1e3)
    saddle = point(NITROGEN, HARTREE_FOCK, 1)
    assert saddle.flags == ("unstable",)
    # what PySCF 2.14 converges to from atoms
    assert saddle.energy_ev / Hartree == pytest.approx(-108.270291, abs=1e-5)
    assert minimum.energy_ev < saddle.energy_ev - 0.4


@pytest.mark.filterwarnings("ignore:remove_linear_dep_:DeprecationWarning")
def test_the_ion_of_hcn_is_the_same_from_each_start():
    molecule = point(CYANIDE)
    energies_ev = [
        point(CYANIDE, charge=1, **more).energy_ev - molecule.energy_ev
        for more in ({"near": molecule}, {}, {"guess": "huckel"}, {"guess": "hcore"})
    ]
    # its empty place turns about the axis, which the grid's points do not
    assert np.ptp(energies_ev) < 0.005
    # experiment: 13.61 eV
    assert energies_ev[0] == pytest.approx(13.73, abs=0.01)


def test_the_ground_state_of_oxygen_is_a_triplet():
    oxygen = linear((8, 0), (8, 1.21))
    singlet, triplet = (point(oxygen, n_unpaired=n) for n in (0, 2))
    assert singlet.flags == ("spin_doubtful",)
    assert singlet.is_degenerate()
    assert triplet.flags == ()
    assert not triplet.is_degenerate()
    # experiment: 0.98 eV; of an unrestricted singlet half of it
    assert singlet.energy_ev - triplet.energy_ev > 0.9


@pytest.mark.parametrize(("length_angstrom", "is_doubtful"), [(0.74, False), (3.0, True)])
def test_a_stretched_bond_unpairs_its_electrons(length_angstrom, is_doubtful):
    assert point(linear((1, 0), (1, length_angstrom))).is_degenerate() == is_doubtful


def test_spin_contamination_is_flagged():
    # a singlet's electron at either end, and one more in the middle
    chain = linear(*((1, 2.5 * n) for n in range(3)))
    assert "spin_contaminated" in point(chain).flags


@pytest.mark.parametrize("number", [1, 2])
def test_one_atom_and_none_of_its_electrons(number):
    # experiment: 13.60 and 24.59 eV
    atom = linear((number, 0))
    ie_ev = point(atom, charge=1).energy_ev - point(atom).energy_ev
    assert ie_ev == pytest.approx({1: 13.6, 2: 24.6}[number], abs=0.3)
    bare = point(atom, charge=number)
    assert bare.energy_ev == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(bare.orbitals().homo_ev)


def test_heavy_atoms_have_a_core_potential():
    iodine = linear((53, 0), (53, 2.666))
    molecule, ion = point(iodine), point(iodine, charge=1)
    # experiment: 9.31 eV
    assert ion.energy_ev - molecule.energy_ev == pytest.approx(9.31, abs=0.3)
    # 25 electrons of each; with all 53 the energy is 7,000 Hartree each
    assert -700 < molecule.energy_ev / Hartree < -500


def test_every_element_has_what_a_level_needs():
    from pyscf.data.elements import ELEMENTS as SYMBOLS
    from pyscf.gto import basis

    for number in sorted(ELEMENTS):
        for name in (*(one.name for one in BASES.values()), AUXILIARY):
            assert basis.load(name, SYMBOLS[number])
        if number > LAST_WITH_ALL_ELECTRONS:
            for one in BASES.values():
                assert basis.load_ecp(one.name, SYMBOLS[number])


def test_orbitals_and_dipole():
    orbitals = point(OF_GPU4PYSCF).orbitals()
    # experiment: 1.85 Debye
    assert orbitals.dipole_debye == pytest.approx(1.98, abs=0.02)
    assert orbitals.homo_ev < 0 < orbitals.lumo_ev
    # an ion's dipole is about its centre of mass, wherever it stands
    moved = replace(OF_GPU4PYSCF, positions_angstrom=OF_GPU4PYSCF.positions_angstrom + 5)
    dipoles = [point(one, charge=1).orbitals().dipole_debye for one in (OF_GPU4PYSCF, moved)]
    assert dipoles[0] == pytest.approx(dipoles[1], abs=1e-3)


def test_a_value_is_the_same_again_and_on_two_cores():
    first, again = point(CYANIDE), point(CYANIDE)
    assert first.energy_ev == again.energy_ev
    before = quantities_of(Molecule(0, "C#N")).value
    assert point(CYANIDE, cores=2).energy_ev == pytest.approx(first.energy_ev, abs=1e-5)
    # tblite has an OpenMP of its own in this process
    assert quantities_of(Molecule(0, "C#N")).value == pytest.approx(before, abs=1e-6)


def test_what_does_not_converge_is_a_failure(monkeypatch):
    monkeypatch.setattr("molloop.simulate.dft.MAX_CYCLES", 1)
    with pytest.raises(
        SimulationError, match="B3LYP/def2-SVP does not converge for 'it' at"
    ) as why:
        point(CYANIDE)
    assert why.value.kind == "scf"


def computed(smiles, *names, level="b3lyp/def2-svp", **options):
    quantity, *others = names
    return quantities_of(Molecule(0, smiles), quantity=quantity, quantities=others, level=level)


def test_quantities_by_dft():
    names = ("ie", "ea", "fundamental_gap", "homo", "lumo", "orbital_gap", "dipole")
    found = computed("C#N", *names)
    values = found.values
    assert tuple(values) == names
    # experiment: 13.61 eV
    assert values["ie"] == pytest.approx(13.85, abs=0.02)
    assert values["fundamental_gap"] == pytest.approx(values["ie"] - values["ea"])
    assert values["orbital_gap"] == pytest.approx(values["lumo"] - values["homo"])
    assert found.flags == ("anion_not_bound",)
    assert {name: one.method for name, one in found.calculations.items()} == {
        "molecule": "B3LYP/def2-SVP",
        "ion": "B3LYP/def2-SVP",
        "anion": "B3LYP/def2-SVP",
        "relaxation": "GFN2-xTB",
    }


def test_an_adiabatic_quantity_is_of_the_cheap_level_s_geometries():
    found = computed("O", "ie_adiabatic", "ie")
    assert 0 < found.values["ie"] - found.values["ie_adiabatic"] < 0.3
    assert found.calculations["cation_relaxed"].geometry == "cation"
    assert found.calculations["cation_relaxation"].method == "GFN2-xTB"


def test_a_strong_acceptor_s_anion_is_bound():
    # experiment: 3.6 eV vertically detached; its highest orbital lies near 0 all the same
    assert computed("[Cl]", "ea").flags == ()


@pytest.mark.parametrize(
    ("smiles", "n_unpaired", "ie_ev"),
    [
        # experiment: NIST's atomic spectra database, and its web book for OH
        ("[O]", 3, 13.618),
        ("[Cl]", 2, 12.968),
        ("[OH]", 2, 13.017),
        ("[Na]", 0, 5.139),
    ],
)
def test_the_ion_of_a_radical_has_the_lower_of_two_spins(smiles, n_unpaired, ie_ev):
    found = computed(smiles, "ie")
    assert found.value == pytest.approx(ie_ev, abs=0.45)
    assert found.calculations["ion"].n_unpaired == n_unpaired
    assert found.flags == ()


def test_an_ion_starts_from_its_molecule():
    assert {recipe.points[0] for recipe in RECIPES.values()} == {"molecule"}


def test_an_element_without_a_basis_is_refused():
    with pytest.raises(SimulationError, match="has Ce, which the method lacks") as why:
        computed("[Ce]", "ie")
    assert why.value.kind == "element"


def test_levels_are_named_in_any_case():
    settings = load_settings(simulation={"level": "B3LYP/def2-SVP", "cores": 2})
    protocol = settings.protocol()
    assert protocol.stage == "b3lyp/def2-svp"
    assert protocol.label == "B3LYP/def2-SVP ΔSCF on GFN2-xTB geometry"
    at_input = load_settings(simulation={"level": "r2scan/def2-svp", "fidelity": "input-geometry"})
    assert at_input.protocol().label == "r²SCAN/def2-SVP ΔSCF, input-geometry"
    assert protocol.resources == Resources(2, 4.0)
    assert protocol.packages == ("pyscf",)
    assert load_settings(simulation={"level": "wb97x-d3bj/def2-tzvp"}).protocol().packages == (
        "pyscf",
        "pyscf-dispersion",
    )
    assert "tblite 0.8.0, pyscf 2." in told([versions(protocol.packages)])


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            {"simulation": {"level": "wb97x-d4/def2-svp"}},
            "got 'wb97x-d4/def2-svp', expected one of",
        ),
        (
            {"simulation": {"level": "b3lyp/def2-svp//b3lyp/def2-svp"}},
            "expected one of gfn2, gfn1, ipea1, b3lyp/def2-svp",
        ),
        (
            {"simulation": {"level": "b3lyp/def2-svp", "solvent": "water"}},
            "is of DFT, which is computed without a solvent here",
        ),
        (
            {
                "property": {"name": "oxidation_potential"},
                "simulation": {"level": "b3lyp/def2-svp"},
            },
            "expected a level that has solvents",
        ),
        ({"simulation": {"cores": 2}}, "got 2, expected 1 at the level gfn2"),
    ],
)
def test_what_cannot_be_computed_is_said_before_a_run(sections, words):
    with pytest.raises(InputError, match=words):
        load_settings(**sections)


def test_pyscf_that_is_missing_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyscf.dispersion.dftd3", None)
    load("ionization", {"level": "b3lyp/def2-svp"})
    words = r"pyscf-dispersion cannot be imported .*Install it: pip install 'molloop\[dft\]'"
    with pytest.raises(SimulatorError, match=words):
        load("ionization", {"level": "wb97x-d3bj/def2-svp"})


def test_a_command_without_pyscf_ends_with_its_remedy(tmp_path, monkeypatch):
    (tmp_path / "pyscf.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    command = [sys.executable, "-m", "molloop", "simulate", "O", "--level", "b3lyp/def2-svp"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "simulation.level: got 'b3lyp/def2-svp'" in done.stderr
    assert "pip install 'molloop[dft]'" in done.stderr


def test_nothing_of_a_received_folder_is_run(tmp_path):
    mark = tmp_path / "executed"
    code = f"open({str(mark)!r}, 'w').close()"
    (tmp_path / ".pyscf_conf.py").write_text(code)
    # PySCF would take these for a basis set, and evaluate what is no number in them
    for name in ("def2-svp", "def2-universal-jkfit", "ano"):
        (tmp_path / name).write_text(f"H S\n{code.replace(' ', '')}\nEND\n")
    # a user's own settings change no value either
    (tmp_path / "settings.py").write_text(f"{code}\ndft_gen_grid_Grids_level = 0\n")
    command = [sys.executable, "-P", "-m", "molloop", "simulate", "[H][H]", "--json"]
    done = subprocess.run(
        [*command, "--level", "b3lyp/def2-svp"],
        cwd=tmp_path,
        env=os.environ
        | {"HOME": str(tmp_path), "PYSCF_CONFIG_FILE": str(tmp_path / "settings.py")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ie_ev"] == pytest.approx(computed("[H][H]", "ie").value)
    assert not mark.exists()


def test_blocks_of_the_kernel_keep_within_the_memory(monkeypatch):
    from pyscf.dft.numint import NumInt

    told_mb, whole = [], NumInt.block_loop

    def watched(*arguments, max_memory, **more):
        told_mb.append(max_memory)
        return whole(*arguments, max_memory=max_memory, **more)

    monkeypatch.setattr(NumInt, "block_loop", watched)
    point(NITROGEN, charge=1)
    # of 4 GiB half is PySCF's; it would take 2,000 MB for some, whatever is there
    assert told_mb
    assert max(told_mb) < 2048 - 100
    assert 2000 not in told_mb


def test_memory_is_free_again_with_the_solution():
    # without the collector of cycles, which comes late: many molecules are computed in one process
    solution = point(NITROGEN, charge=1)
    kept = weakref.ref(solution._solver._numint)
    gc.disable()
    try:
        del solution
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("level", "is_loaded"), [("ipea1", False), ("b3lyp/def2-svp", True)])
def test_pyscf_is_loaded_where_it_computes_alone(level, is_loaded):
    code = f"""
import sys
from molloop import Molecule, load
protocol = load(simulation={{"level": {level!r}}}).protocol()
from molloop.simulate.task import SimulationTask
task = SimulationTask(protocol)
before = "pyscf" in sys.modules
task.run(Molecule(0, "O"))
print(before, "pyscf" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", str(is_loaded)]

"""Simulators by name: what each computes, the options it takes, and what comes back."""

import sys
from dataclasses import replace
from decimal import Decimal
from types import ModuleType

import numpy as np
import pytest

from molloop.assembly.campaign import titled
from molloop.config.load import load as load_settings
from molloop.errors import SimulationError
from molloop.goal import Quantity
from molloop.molecule import Geometry, Molecule
from molloop.simulate.load import load
from molloop.simulate.options import Options
from molloop.simulate.outcome import Failure, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.simulate.simulators import (
    IE,
    SIMULATORS,
    Origin,
    Simulator,
    SimulatorError,
    origin_of,
)
from molloop.simulate.task import SimulationTask

GAP = Quantity("gap", "eV")


class GapOptions(Options):
    basis: str = "small"
    scale: float = 1.0


@pytest.fixture
def mine(monkeypatch):
    """Return a module of a user, whose functions say what they were called with."""
    module = ModuleType("mine")

    def length(smiles):
        return len(smiles)

    def scaled(smiles, scale, names=("a",)):
        return Success({"gap": scale * len(smiles), "n_names": len(names)})

    def gap(smiles, **options):
        return {"small": 1.0, "large": 2.0}[options["basis"]] * options["scale"]

    def anything(smiles):
        return given_back[smiles]

    given_back = {"np": np.float32(2.5), "int": 3, "true": True, "text": "9.0", "complex": 1j}
    given_back |= {"array": np.squeeze([[1.25]]), "decimal": Decimal("1.25")}
    given_back |= {"row": np.array([1.25]), "high": np.array(3.5), "higher": Decimal("3.5")}

    def whole(molecule):
        return {"gap": 0.25 if molecule.geometry is None else 0.5}[molecule.name]

    for one in (length, scaled, gap, anything, whole):
        setattr(module, one.__name__, one)
    module.GAP = Simulator("mine:gap", (GAP,), {"gap": (0.0, 3.0)}, GapOptions)
    module.CORES = replace(module.GAP, cores=8)
    module.WHOLE = Simulator("mine:whole", (GAP,), takes_molecule=True)
    monkeypatch.setitem(sys.modules, "mine", module)
    return module


@pytest.fixture
def registered(mine, monkeypatch, tmp_path):
    """Have another package register simulators."""
    facts = tmp_path / "mine-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    names = {"gap": "mine:GAP", "wide": "mine:CORES", "whole": "mine:WHOLE"}
    names |= {"length": "mine:length", "gone": "gone:GAP"}
    lines = [f"{name} = {home}" for name, home in names.items()]
    (facts / "entry_points.txt").write_text("\n".join(["[molloop.simulators]", *lines]))
    monkeypatch.syspath_prepend(tmp_path)


def outcome(smiles, simulator, **given):
    return SimulationTask(SimulationProtocol(simulator, **given)).run(Molecule(0, smiles))


def test_the_built_in_simulator_says_what_it_computes():
    ionization = SIMULATORS["ionization"]
    assert ionization.quantities[0] == Quantity("IE", "eV", "Vertical ionization energy")
    units = {one.name: one.unit for one in ionization.quantities}
    assert units["ea"] == units["ie_adiabatic"] == units["orbital_gap"] == "eV"
    assert (units["oxidation_potential"], units["dipole"]) == ("V", "Debye")
    assert len(units) == 13
    assert ionization.cores == 1
    assert ionization.checked({"level": "ipea1"}) == {
        "level": "ipea1",
        "fidelity": "relaxed",
        "start_geometry": "embedded",
        "n_conformers": 1,
        "max_atoms": 200,
        "quantities": (),
        "solvent": "",
        "reference": "SHE",
        "multiplicity": None,
    }


def test_the_built_in_simulator_gets_its_options():
    options = {"level": "ipea1", "fidelity": "mmff-geometry"}
    found = outcome("O", "ionization", options=options).calculations
    assert [(one.method, one.n_steps) for one in found.values()] == [("IPEA1-xTB", 0)] * 2
    small = outcome("CC", "ionization", options={"max_atoms": 7})
    assert (small.kind, small.message) == (
        "too_large",
        "8 atoms, expected at most max_atoms = 7",
    )


@pytest.mark.parametrize("given", ["np", "int", "array", "decimal"])
def test_a_plain_number_is_a_value(mine, given):
    success = outcome(given, "mine:anything", quantity=GAP)
    assert isinstance(success, Success)
    assert success.value == {"np": 2.5, "int": 3.0, "array": 1.25, "decimal": 1.25}[given]
    assert success.values == {"gap": success.value}


@pytest.mark.parametrize("given", ["true", "text", "complex", "row"])
def test_what_is_no_number_is_an_invalid_result(mine, given):
    assert outcome(given, "mine:anything", quantity=GAP).kind == "invalid_result"


def test_a_function_gets_its_options_by_name(mine):
    options = {"names": ["x", "y"], "scale": 0.5}
    success = outcome("CCO", "mine:scaled", options=options, quantity=GAP)
    assert success.values == {"gap": 1.5, "n_names": 2}
    protocol = SimulationProtocol("mine:scaled", options, GAP)
    assert protocol.stage == "mine:scaled(names=['x', 'y'], scale=0.5)"
    assert outcome("CCO", "mine:length", quantity=GAP).value == 3.0


@pytest.mark.parametrize(
    ("simulator", "options", "words"),
    [
        ("mine:scaled", {}, "not take simulation.options: missing a required argument: 'scale'"),
        ("mine:length", {"basis": "x"}, "got an unexpected keyword argument 'basis'"),
        ("gap", {"basi": "x"}, "not take simulation.options.basi: it has basis, scale"),
        (
            "gap",
            {"scale": "2"},
            "not take simulation.options.scale: Input should be a valid number",
        ),
        ("wide", {}, "It wants 8 cores, and simulation.cores is 1"),
        ("length", {}, "as mine:length, which is no Simulator, but of the type function"),
        ("gup", {}, "none that is registered (ionization, gap, wide, whole, length, gone)"),
        ("ionization", {}, "It computes IE (eV), EA (eV), "),
    ],
)
def test_what_cannot_be_used_is_said(registered, simulator, options, words):
    task = SimulationTask(SimulationProtocol(simulator, options, GAP))
    assert task.obstacle().startswith("It ")
    assert words in task.obstacle()
    failure = task.run(Molecule(0, "C"))
    assert (failure.kind, type(failure)) == ("unexpected", Failure)
    assert words in failure.message


def test_another_package_may_register_a_simulator(registered):
    assert outcome("C", "gap", quantity=GAP).value == 1.0
    success = outcome("C", "gap", options={"basis": "large"}, quantity=GAP)
    assert success.values == {"gap": 2.0}
    assert SimulationTask(SimulationProtocol("gap", {}, GAP)).obstacle() == ""
    gone = SimulationTask(SimulationProtocol("gone", {}, GAP)).obstacle()
    assert gone == (
        "Importing it fails: ModuleNotFoundError: No module named 'gone'. Is its folder on "
        "PYTHONPATH?"
    )


def test_a_simulator_may_ask_for_the_whole_molecule(registered):
    task = SimulationTask(SimulationProtocol("whole", {}, GAP))
    geometry = Geometry(np.array([2], np.uint8), np.zeros((1, 3)))
    assert task.run(Molecule(3, "[He]", "gap")).value == 0.25
    assert task.run(Molecule(3, "[He]", "gap", geometry)).value == 0.5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start_geometry": "file"}, "options.start_geometry: Value error, expected one of embedd"),
        (
            {"start_geometry": "input", "fidelity": "mmff-geometry"},
            "simulation.options: Value error, expected start_geometry = embedded with fidelity =",
        ),
        ({"start_geometry": "input", "n_conformers": 2}, "n_conformers = 1 where the geometry is"),
        ({"fidelity": "input-geometry", "n_conformers": 2}, "n_conformers = 1 where the geometry"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, words):
    told = SimulationTask(SimulationProtocol(options=options)).obstacle()
    assert told.startswith("It does not take simulation.options")
    assert words in told


def test_a_value_out_of_bounds_is_a_failure(registered, monkeypatch):
    failure = outcome("C", "gap", options={"scale": 4.0}, quantity=GAP)
    assert (failure.kind, failure.message) == (
        "out_of_bounds",
        "gap (eV) of 'C' is 4.0, expected between 0.0 and 3.0",
    )
    low = replace(SIMULATORS["ionization"], bounds={"ie": (0.0, 10.0)})
    monkeypatch.setitem(SIMULATORS, "ionization", low)
    with pytest.raises(SimulationError, match=r"out_of_bounds: IE \(eV\) of 'W1 O' is 18\.29"):
        load("ionization", {}, IE)(Molecule(0, "O", "W1"))


def test_what_ends_with_its_process_is_named():
    task = SimulationTask(SimulationProtocol())
    failure = task.failed(Molecule(0, "O", "W1"), "timeout", "took too long", 1.0)
    assert failure.message == "'W1 O': the process that simulates took too long"


@pytest.mark.parametrize("given", ["high", "higher"])
def test_any_number_has_to_lie_within_the_bounds(registered, mine, given):
    mine.GAP = replace(mine.GAP, function="mine:anything", options=None)
    assert outcome(given, "gap", quantity=GAP).kind == "out_of_bounds"


def test_a_simulator_that_may_not_be_loaded_is_none(mine):
    with pytest.raises(SimulatorError, match=r"not of the form package\.module:function"):
        load("mine", {}, GAP)


def test_it_is_told_where_a_simulator_is_written(registered, mine):
    assert origin_of("ionization") is None
    assert origin_of("nowhere.at:all") == Origin(("nowhere.at",))
    assert origin_of("gap") == Origin(("mine",), "mine", "1.0")
    mine.GAP = replace(mine.GAP, function="others.deep:gap")
    assert origin_of("gap") == Origin(("mine", "others.deep"), "mine", "1.0")
    with pytest.raises(ModuleNotFoundError, match="gone"):
        origin_of("gone")
    with pytest.raises(SimulatorError, match="none that is registered"):
        origin_of("nowhere")


def test_a_run_keeps_the_title_of_a_registered_quantity(registered, mine):
    mine.GAP = replace(mine.GAP, quantities=(Quantity("gap", "eV", "Gap of orbitals"),))
    ours = {"simulator": "gap", "name": "gap", "unit": "eV"}
    assert titled(load_settings(property=ours)).objective().quantity.title == "Gap of orbitals"
    assert titled(load_settings(property=ours | {"unit": "Ha"})).objective().quantity.title == "gap"
    own = load_settings(property=ours | {"title": "My gap"})
    assert titled(own).objective().quantity.title == "My gap"


def test_who_reads_a_run_imports_no_simulator(registered):
    ours = {"simulator": "gap", "name": "gap", "unit": "eV"}
    sys.modules.pop("mine", None)
    assert load_settings(property=ours).objective().quantity == Quantity("gap", "eV", "gap")
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("options", "fidelity", "stage"),
    [
        ({}, "relaxed", "gfn2"),
        ({"level": "ipea1", "n_conformers": 5}, "relaxed", "ipea1"),
        ({"fidelity": "mmff-geometry"}, "mmff-geometry", "gfn2 mmff-geometry"),
        ({"fidelity": "input-geometry"}, "input-geometry", "gfn2 input-geometry"),
        (
            {"fidelity": "input-geometry", "start_geometry": "input"},
            "input-geometry",
            "gfn2 input-geometry",
        ),
        ({"start_geometry": "input"}, "relaxed-from-input", "gfn2 relaxed-from-input"),
    ],
)
def test_a_stage_says_by_its_name_what_does_not_compare(options, fidelity, stage):
    protocol = SimulationProtocol(options=options)
    assert (protocol.outcome_fidelity, protocol.stage) == (fidelity, stage)
    own = SimulationProtocol("mine:gap", {"fidelity": "x"})
    assert (own.outcome_fidelity, own.stage) == ("own", "mine:gap(fidelity='x')")


def test_values_are_labelled_by_how_they_were_computed():
    assert SimulationProtocol().label == "GFN2-xTB ΔSCF, uncorrected"
    options = {"level": "ipea1", "fidelity": "mmff-geometry"}
    ipea1 = SimulationProtocol(options=options)
    assert (ipea1.outcome_level, ipea1.outcome_fidelity) == ("ipea1", "mmff-geometry")
    assert ipea1.label == ("IPEA1-xTB ΔSCF, shifted by -4.846 eV, mmff-geometry")
    from_input = SimulationProtocol(options={"start_geometry": "input"})
    assert from_input.label == "GFN2-xTB ΔSCF, uncorrected, relaxed-from-input"
    assert SimulationProtocol(options={"level": "dft"}).label == "dft"
    assert SimulationProtocol("mine:gap", {"n": 1}).label == "mine:gap(n=1)"

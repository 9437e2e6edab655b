"""A level of one's own: vertical ionization energies by a program that is run as a command.

molloop embeds and relaxes the molecule with GFN2-xTB; the program computes one energy of the
molecule and one of its ion at that geometry. Any program will do that computes the energy of an
.xyz file: the command, its input file and where the energy stands in what it prints are options.

    molloop simulate O --config examples/own_level.toml

with PYTHONPATH=examples.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from ase.data import chemical_symbols
from ase.units import Hartree

from molloop import Molecule, SimulationError, Success
from molloop.simulate.ionization import quantities_of

STATES = ("molecule", "ion")


def vertical_ie(smiles, command, energy, content=""):
    """Compute the vertical ionization energy (eV) at GFN2-xTB's geometry.

    Parameters
    ----------
    command
        Run in a folder of its own, where `molecule.xyz` and `input` are. In it and in `content`,
        `$charge`, `$unpaired` and `$multiplicity` are those of the state, `$python` is the Python
        that runs, and `$here` is the folder of this file.
    energy
        A regular expression; its first group is the energy in Hartree. The last match counts.
    content
        Of the file `input`.
    """
    cheap = quantities_of(Molecule(0, smiles))
    geometry = cheap.geometries["molecule"]
    energies_ev = [
        energy_ev(geometry, cheap.calculations[state], command, energy, content) for state in STATES
    ]
    value_ev = energies_ev[1] - energies_ev[0]
    return Success({"ie": value_ev}, geometries={"molecule": geometry}, flags=cheap.flags)


def energy_ev(geometry, state, command, energy, content):
    """Run the program for one state; return its energy."""
    names = {
        "charge": state.charge,
        "unpaired": state.n_unpaired,
        "multiplicity": state.n_unpaired + 1,
        "python": sys.executable,
        "here": Path(__file__).resolve().parent,
    }
    # split before names are put in, as a folder's name may have blanks
    words = [Template(word).substitute(names) for word in shlex.split(command)]
    # it is made in $TMPDIR, on the node, and gone when the simulation is killed, too
    with TemporaryDirectory() as folder:
        Path(folder, "molecule.xyz").write_text(xyz(geometry))
        Path(folder, "input").write_text(Template(content).substitute(names))
        done = subprocess.run(
            words, cwd=folder, capture_output=True, check=False, text=True, errors="replace"
        )
    found = re.findall(energy, done.stdout)
    if done.returncode or not found:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        told = f"{words[0]} ends with {done.returncode}, {len(found)} energies and {last}"
        raise SimulationError("program", f"{told} at charge {state.charge}")
    return float(found[-1]) * Hartree


def xyz(geometry):
    """Return the text of an .xyz file."""
    atoms = zip(geometry.numbers, geometry.positions_angstrom, strict=True)
    lines = [f"{chemical_symbols[n]} {x:.8f} {y:.8f} {z:.8f}" for n, (x, y, z) in atoms]
    return "\n".join([str(len(lines)), "", *lines, ""])

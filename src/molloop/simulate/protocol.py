"""How a molecule becomes a value: what a configuration decides, and every worker is told."""

from dataclasses import dataclass

from molloop.simulate.levels import LEVELS

IONIZATION = "ionization"


@dataclass(frozen=True, slots=True)
class SimulationProtocol:
    """A simulation protocol.

    Attributes
    ----------
    simulator
        ``ionization``, or ``package.module:function``: a function of a SMILES that returns a
        :class:`~molloop.simulate.outcome.Success` or raises
        :class:`~molloop.errors.SimulationError`.
    quantity
        Name of the quantity that is asked for.
    level, fidelity
        Of the ionization energy: keys of ``molloop.simulate.levels``.
    n_conformers
        That are embedded; the lowest by the force field is taken.
    max_atoms
        Of a molecule, hydrogens included.
    timeout_s
        Of a molecule; one that takes longer is a failure.
    memory_limit_gib
        Of a molecule, with all processes that it starts.
    """

    simulator: str = IONIZATION
    quantity: str = "ie"
    level: str = "gfn2"
    fidelity: str = "relaxed"
    n_conformers: int = 1
    max_atoms: int = 200
    timeout_s: float = 600.0
    memory_limit_gib: float = 4.0

    @property
    def outcome_level(self) -> str:
        """What outcomes are stored under: the level, or a simulator's own name."""
        return self.level if self.simulator == IONIZATION else self.simulator

    @property
    def stage(self) -> str:
        """Name of the stage: its level."""
        return self.outcome_level

    @property
    def label(self) -> str:
        """What figures and tables call the way in which values were computed."""
        if self.simulator != IONIZATION:
            return self.simulator
        # a table of known values has levels of its own
        label = LEVELS[self.level].label if self.level in LEVELS else self.level
        return label if self.fidelity == "relaxed" else f"{label}, {self.fidelity}"

    @property
    def outcome_fidelity(self) -> str:
        """The fidelity; a simulator of the user's has one of its own."""
        return self.fidelity if self.simulator == IONIZATION else "own"

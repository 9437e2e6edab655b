"""What Python users get back of a run."""

from dataclasses import replace

from molloop.goal import Goal
from molloop.report.found import Found
from molloop.report.notebook import results_html
from molloop.report.numbers import rounded
from molloop.simulate.protocol import SimulationProtocol
from molloop.store.reader import Reader
from molloop.texts import counted, terminal_text


class Results(Found):
    """What a run has found; a notebook shows a summary and draws the best molecules."""

    def __repr__(self) -> str:
        quantity, n_values = self.objective.quantity, len(self.successes)
        best = "".join(
            f", best {rounded(self.values[item.molecule_id])} {quantity.unit} {item.label}"
            for item in self.best(1)
        )
        values = counted(n_values, "value")
        told = f"{quantity.symbol}: {values}, {self.n_failed:,} failed{best}"
        return f"Results({terminal_text(told)})"

    def _repr_html_(self) -> str:
        """Show a notebook what was found."""
        return results_html(self)


def read(reader: Reader, goal: Goal, *protocols: SimulationProtocol) -> Results:
    """Read a run from its database.

    Parameters
    ----------
    protocols
        Of each stage, the first one first.

    Raises
    ------
    StoreError
        It cannot be read, or holds what no run has stored.
    """
    events = tuple(reader.events())
    # read after the events: outcomes that come between the two do not count as under way
    simulated, stages = tuple(reader.simulated()), reader.stages()
    protocol = protocols[-1]
    told = {*stages, *(one.stage for one in protocols)}
    if unknown := {one.stage for one in simulated} - told:
        raise reader.damaged(
            f"it has jobs of the stage {min(unknown)!r:.60}, of which it does not tell"
        )
    known, tasks = tuple(reader.known()), tuple(reader.tasks())
    found = Results(goal.objective, protocol, known, events, simulated, tasks, stages)
    return replace(
        found,
        protocols=protocols if len(protocols) > 1 else (),
        goal=goal.wider,
    )

"""The tables and figures that a run leaves."""

from dataclasses import replace
from pathlib import Path

from molloop.library.shards import Library
from molloop.results import Results
from molloop.search.policy import Policy

TRAINING_DATA = "training_data.csv"
BEST_MOLECULES = "best_molecules.csv"
FRONT = "pareto_front.csv"  # of a run with several objectives
EXPECTED_MOLECULES = "expected_molecules.csv"  # of a run of several stages
STAGES = "stages.csv"  # the same
# without an ending: each is a .png and a .svg
FIGURE = "parsl_ml_in_the_loop"
WORKERS_FIGURE = "workers"
FRONT_FIGURE = "pareto_front"
PREDICTIONS_FIGURE = "predicted_vs_simulated"


def write_reports(
    found: Results, library: Library, folder: Path, policy: Policy, seed: int
) -> Results:
    """Write the tables and the figures of a run; return what they show.

    Parameters
    ----------
    policy, seed
        By which it has chosen.
    """
    from molloop.report import expected, figures, front, front_figure, predictions, stages, tables

    found = expected.with_expected(replace(found, library=library), library, policy, seed)
    tables.write_training_data(found, folder / TRAINING_DATA)
    tables.write_best_molecules(found, library.molecule, folder / BEST_MOLECULES)
    if (pareto := front.front_of(found)) is not None:
        front.write_front(found, pareto, folder / FRONT)
        front_figure.write_front_figure(found, pareto.goal, folder / FRONT_FIGURE)
    if found.protocols:
        expected.write_expected(found, library, folder / EXPECTED_MOLECULES)
        stages.write_stages(found, folder / STAGES)
    figures.write_loop_figure(found, folder / FIGURE)
    figures.write_workers_figure(found, folder / WORKERS_FIGURE)
    predictions.write_predictions_figure(found, folder / PREDICTIONS_FIGURE)
    return found

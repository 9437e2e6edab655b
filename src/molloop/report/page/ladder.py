"""What a page shows of the stages of a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from molloop.report.page.feed import Run
from molloop.report.stages import INTERVAL_STDS, in_rows, stage_costs

N_RANKED = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A molecule in the order of the last values, known or expected.

    Attributes
    ----------
    mean, low, high
        The value, or what the last ranking expects of it with a 95% interval.
    below
        Its value in the stage below; None where the last one is known.
    """

    smiles: str
    name: str
    mean: float
    low: float
    high: float
    below: float | None = None


def stage_facts(run: Run) -> Mapping[str, Any]:
    """Return what the template of stages shows of a run of several."""
    protocols, record = run.settings.protocols(), run.record
    costs = stage_costs(record.of_stages, protocols, in_rows(record.pairs, 3))
    return {
        "stages": list(zip(costs, run.settings.max_counts(), strict=True)),
        "quantity": run.settings.objective().quantity,
        "last": protocols[-1].stage,
        "below": protocols[-2].stage,
        "places": ranked(run)[:N_RANKED],
    }


def ranked(run: Run) -> list[Place]:
    """Return the best known molecules and what the last ranking proposes, the best first."""
    record, sign = run.record, run.settings.objective().sign
    waiting = record.of_stages[run.settings.protocols()[-2].stage].waiting
    places = [
        Place(item.smiles, item.name, value, value, value)
        for item in record.best(record.n_kept)
        if (value := record.value(item)) is not None
    ]
    for job, (mean, std) in record.predicted.items():
        below = waiting.get(job.molecule_id)
        if below is not None and job.molecule_id not in record.left_out:
            half = INTERVAL_STDS * std
            places.append(
                Place(below.smiles, below.name, mean, mean - half, mean + half, below.value)
            )
    return sorted(places, key=lambda one: -sign * one.mean)

"""Policies compared on a table: each replayed with the same seeds."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from molloop.files import write_whole
from molloop.intervals import Floats, Interval, mean_interval
from molloop.library.shards import Progress
from molloop.processes import in_processes
from molloop.replay.alone import Alone, play_alone
from molloop.replay.campaign import Case, Played, Scenario, replay
from molloop.replay.measures import Curves, Truth, measure
from molloop.replay.table import Table
from molloop.texts import sheet_cell

# -> what `Curves` calls within_chosen and within_others
Calibration = Callable[[Played, Case, Table], tuple[float, float]]
MEASURES = ("recall", "best", "regret", "n_above")
FRONT_MEASURES = ("recall", "hypervolume")
FROM_NOTHING = ("recall", "n_above", "hypervolume")  # begin with 0
N_TIMES = 200


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found with each policy.

    Attributes
    ----------
    curves
        Policy -> one for each seed, in the order of the seeds.
    remarks
        On the table, in words.
    """

    table: Table
    truth: Truth
    seeds: tuple[int, ...]
    curves: dict[str, tuple[Curves, ...]]
    remarks: tuple[str, ...] = ()

    @property
    def is_of_ladders(self) -> bool:
        """Whether simulations of several stages are compared: only by time are they alike."""
        return bool(self.table.stages)

    @property
    def measures(self) -> tuple[str, ...]:
        """What the curves are measured by: of several objectives, by the front that is found."""
        return MEASURES if self.truth.points is None else FRONT_MEASURES

    def over_simulations(self, policy: str, measure_name: str) -> Floats:
        """Return a measure after 1, 2, ... simulations, shape (n_seeds, m)."""
        columns = [getattr(one, measure_name) for one in self.curves[policy]]
        n = max(map(len, columns))
        # a campaign that ended sooner stays where it was
        return np.array([np.pad(one.astype(float), (0, n - len(one)), "edge") for one in columns])

    def over_time(self, policy: str, measure_name: str, times_s: Floats) -> Floats:
        """Return a measure at some times, shape (n_seeds, n_times); NaN before the first value."""
        rows = []
        for one in self.curves[policy]:
            place = np.searchsorted(one.times_s, times_s, side="right") - 1
            column = getattr(one, measure_name).astype(float)
            nothing_yet = 0.0 if measure_name in FROM_NOTHING else np.nan
            rows.append(np.where(place >= 0, column[np.maximum(place, 0)], nothing_yet))
        return np.array(rows)

    def failures(self) -> dict[str, list[str]]:
        """Return the policies whose campaigns failed, and why each did."""
        reasons = {
            policy: [one.failure for one in curves if one.failure]
            for policy, curves in self.curves.items()
        }
        return {policy: some for policy, some in reasons.items() if some}

    def times_s(self) -> Floats:
        """Return times for curves, from 0 to the end of the longest campaign."""
        last_s = max(one.times_s[-1] for curves in self.curves.values() for one in curves)
        return np.linspace(0.0, last_s, N_TIMES)

    def advantage(self, policy: str, other: str, measure_name: str, stop: float) -> Interval:
        """Return by how much a policy is ahead of another at a stop, paired by seed."""
        ours, theirs = (self.after(name, measure_name, stop) for name in (policy, other))
        return mean_interval((ours - theirs)[:, None])

    def stops(self) -> list[float]:
        """Return a quarter, half and all of the simulations, of ladders of the time in seconds."""
        if self.is_of_ladders:
            last_s = float(self.times_s()[-1])
            return [last_s / 4, last_s / 2, last_s]
        n = max(len(one.recall) for curves in self.curves.values() for one in curves)
        return sorted({n // 4, n // 2, n} - {0})

    def after(self, policy: str, measure_name: str, stop: float) -> Floats:
        """Return a measure after so many simulations, of ladders seconds, shape (n_seeds,)."""
        if self.is_of_ladders:
            return self.over_time(policy, measure_name, np.array([stop]))[:, 0]
        values = self.over_simulations(policy, measure_name)
        return values[:, min(int(stop), values.shape[1]) - 1]


def compare(
    table: Table,
    cases: Mapping[str, Callable[[int], Case | Alone]],
    seeds: Sequence[int],
    scenario: Scenario,
    truth: Truth,
    n_processes: int = 1,
    progress: Progress = lambda _what, _fraction: None,
    calibration: Calibration | None = None,
) -> Comparison:
    """Replay each case with each seed, in several processes.

    Parameters
    ----------
    cases
        Name -> the case of a seed.
    calibration
        Looks at each campaign that has ended; None: nothing is said of it.
    """
    jobs = [(name, case_of(seed)) for name, case_of in cases.items() for seed in seeds]
    found: dict[str, list[Curves]] = {name: [] for name in cases}
    progress("replaying", 0.0)
    done = replay_all([case for _, case in jobs], table, truth, scenario, n_processes, calibration)
    for number, ((name, _), curves) in enumerate(zip(jobs, done, strict=True), start=1):
        found[name].append(curves)
        progress("replaying", number / len(jobs))
    kept = {name: tuple(curves) for name, curves in found.items()}
    return Comparison(table, truth, tuple(seeds), kept)


def replay_all(
    cases: Sequence[Case | Alone],
    table: Table,
    truth: Truth,
    scenario: Scenario,
    n_processes: int,
    calibration: Calibration | None = None,
) -> Iterator[Curves]:
    """Replay cases in several processes; what each has found, in their order."""
    tasks = [(one, table, truth, scenario, calibration) for one in cases]
    words = ("replays campaigns", "Give the command again.")
    with in_processes(_replay_one, tasks, min(n_processes, len(cases)), *words) as found:
        yield from found


def _replay_one(
    case: Case | Alone,
    table: Table,
    truth: Truth,
    scenario: Scenario,
    calibration: Calibration | None,
) -> Curves:
    if isinstance(case, Alone):
        return play_alone(case, table, scenario, truth)
    played = replay(case, table, scenario)
    with closing(played.store):
        curves = measure(played, truth)
        if calibration is None:
            return curves
        chosen, others = calibration(played, case, table)
        return replace(curves, within_chosen=chosen, within_others=others)


def write_csv(comparison: Comparison, path: Path) -> None:
    """Write a row a simulation: policy, seed, count, time, and all measures."""
    recall = "recall_front"
    if comparison.truth.points is None:
        recall = f"recall_top_{len(comparison.truth.top)}"
    headings = ("policy", "seed", "n_simulations", "time_s", recall, *comparison.measures[1:])

    def write(unfinished: Path) -> None:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(headings)
            for policy, seed, curves in _runs(comparison):
                columns: list[Any] = [getattr(curves, name) for name in comparison.measures]
                rows = zip(curves.times_s, *columns, strict=True)
                for n, (time_s, *found) in enumerate(rows, start=1):
                    numbers = ("" if np.isnan(one) else f"{one:.6g}" for one in found)
                    writer.writerow([sheet_cell(policy), seed, n, f"{time_s:.6g}", *numbers])

    write_whole(path, write)


def _runs(comparison: Comparison) -> Iterator[tuple[str, int, Curves]]:
    for policy, all_curves in comparison.curves.items():
        for seed, curves in zip(comparison.seeds, all_curves, strict=True):
            yield policy, seed, curves

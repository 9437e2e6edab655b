"""The screen while a run goes on: a line an iteration, and how far it is."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from molloop.campaign.events import (
    Began,
    Event,
    Finished,
    Ranked,
    RankingBegan,
    Resumed,
    Stopped,
    Submitted,
)
from molloop.campaign.jobs import Simulated
from molloop.config.settings import Settings
from molloop.report.budget import Budget
from molloop.report.found import Found
from molloop.report.numbers import rounded
from molloop.report.progress import ProgressDisplay
from molloop.store.best import excluded_words
from molloop.store.record import Record
from molloop.texts import counted, terminal_text

_ROW = "{:>4} {:>5}  {:<{width}}  {:<{width}} {:>4} {:>4} {:>{error}} {:>6}"
_MOLECULE_WIDTHS = (19, 34)


class RunDisplay:
    """Shows a run while it goes on: a listener of its driver.

    Parameters
    ----------
    console
        Takes a line an iteration, unless the progress is quiet.
    progress
        Shows how far it is.
    """

    def __init__(self, console: Console, settings: Settings, progress: ProgressDisplay) -> None:
        self._console = console
        self._progress = progress
        self._settings = settings
        self._objective = settings.objective()
        self._counts = dict(
            zip((one.stage for one in settings.protocols()), settings.max_counts(), strict=True)
        )
        self._above = tuple(self._counts)[1:]
        self._level_label = ", then ".join(one.label for one in settings.protocols())
        least, most = _MOLECULE_WIDTHS
        unit = self._objective.quantity.unit
        self._unit = f" ({unit})" if unit else ""
        self._error_heading = f"error{self._unit}"
        fixed = len(_ROW.format(*[""] * 8, width=0, error=len(self._error_heading)))
        self._width = max(least, min(most, (console.width - fixed) // 2))
        self._budget = Budget.of(settings)
        self._doing = "waiting for the first outcome"  # in a scheduler's queue perhaps
        stage, goal = settings.protocol().stage, settings.goal().wider
        self._record = Record(self._objective, stage, goal=goal)
        self._before: Found | None = None  # until the run goes on
        self._labels: dict[int, str] = {}
        self._batch = 0
        self._batch_began_s = 0.0
        self._n_training = 0
        self._has_headings = False
        self._n_compared = 0  # predictions that a line has shown the error of
        self._n_shown = 0
        self._simulates_meanwhile = settings.campaign.schedule != "batch"
        self._next = (0, 0)

    def begin_with(self, results: Found) -> None:
        """Take in what a run has found before it goes on."""
        self._before = results
        self._record.take(results.events, results.simulated)
        self._labels = {item.molecule_id: item.label for item in results.simulated}
        self._n_compared = self._record.errors.n
        self._n_shown = self._record.n_ended
        for _, event in results.events:
            if isinstance(event, Ranked) and event.stage not in self._above:
                self._batch = event.batch

    def show_event(self, time_s: float, event: Event, simulated: Simulated | None) -> None:
        """Show what an event changes."""
        is_of_above = isinstance(event, RankingBegan | Ranked) and event.stage in self._above
        if isinstance(event, Ranked) and self._simulates_meanwhile and not is_of_above:
            self._close_batch(time_s)  # with what the ranking before has predicted
            self._batch, self._n_training = self._next
        if simulated is None:
            self._record.take_event(time_s, event)
            self._count_anew(time_s, event)
        else:
            self._record.take_outcome(simulated)
            self._labels[simulated.molecule_id] = simulated.label
        match event:
            case RankingBegan() | Ranked() if is_of_above:
                pass  # an iteration is one of the first stage
            case Began(n_molecules, n_known, remarks):
                self._print(self._title(n_molecules, n_known), "bold")
                self._print_remarks(remarks)
            case Resumed(changes, remarks):
                self._batch_began_s = time_s
                words = [f"going on with {counted(self._record.n_values, 'value')}", *changes]
                self._print(" · ".join(words), "bold")
                self._print_remarks(remarks)
                if n_out := self._record.n_left_out:
                    self._print(excluded_words(self._record.n_values, n_left_out=n_out))
            case Submitted() if self._batch:
                self._doing = "simulating"
            case Finished():
                self._doing = "simulating"
            case RankingBegan(batch, n_training):
                if not self._simulates_meanwhile:
                    self._close_batch(time_s)
                    self._batch, self._n_training = batch, n_training
                    self._doing = "training and ranking"
                self._next = batch, n_training
            case Stopped():
                self._close_batch(time_s)
                self._progress.show("writing tables and figures", has_other_lines=True)
                return
        self._show_progress(time_s)

    def _count_anew(self, time_s: float, event: Event) -> None:
        """Take in all from before once more, where other molecules meet the conditions now."""
        if self._before is None or not isinstance(event, Resumed):
            return
        if self._record.left_out != self._record.told_left_out:
            self._record = self._record.anew()
            self._record.take(self._before.events, self._before.simulated)
            self._record.take_event(time_s, event)
        self._before = None

    def _show_progress(self, time_s: float) -> None:
        n_done, n_failed = self._record.n_values, self._record.n_failed
        failed = f", {n_failed:,} failed" if n_failed else ""
        wanted, limit_s = self._budget.n_wanted, self._budget.time_limit_s
        done = f"{n_done:,}/{wanted:,}" if wanted is not None else counted(n_done, "value")
        if self._above:
            done = ", ".join(self._done_of(stage) for stage in self._counts)
        left = (
            "" if limit_s is None or wanted is not None else f", {time_s:,.0f} of {limit_s:,.0f} s"
        )
        share = self._budget.share(n_done, time_s)
        self._progress.show(self._doing, share, f"{done}{failed}{left}", has_other_lines=True)

    def _done_of(self, stage: str) -> str:
        """Return how many values of how many a stage has."""
        count = self._counts[stage]
        of = "" if count is None else f"/{count:,}"
        return f"{stage} {self._record.of_stages[stage].n_values:,}{of}"

    def _print(self, line: str, style: str = "") -> None:
        if not self._progress.is_quiet:
            self._console.print(Text(terminal_text(line), style), soft_wrap=True)
            self._progress.note_line()

    def _print_remarks(self, remarks: Sequence[str]) -> None:
        for one in remarks:
            self._print(one)

    def _title(self, n_molecules: int, n_known: int) -> str:
        facts = [
            f"{Path(self._settings.library.source).name}: {counted(n_molecules, 'molecule')}",
            self._level_label,
            f"seed {self._settings.campaign.seed}",
        ]
        if n_known:
            facts.append(f"{counted(n_known, 'value')} known beforehand")
        return " · ".join(facts)

    def _close_batch(self, time_s: float) -> None:
        """Print the line of the iteration that has ended."""
        record = self._record
        if record.n_ended == self._n_shown:
            return
        self._n_shown = record.n_ended
        if not self._has_headings:
            self._has_headings = True
            molecules = (f"best predicted{self._unit}", f"best simulated{self._unit}")
            headings = ("iter", "train", *molecules, "done", "fail", self._error_heading, "time")
            self._print_row(headings, "bold")
        best = [self._named(rounded(record.value(item), 2), item.label) for item in record.best(1)]
        self._print_row(
            (
                self._batch,
                self._n_training or "-",
                self._describe_predicted(),
                best[0] if best else self._why_none(),
                record.n_values,
                record.n_failed,
                self._describe_error(),
                f"{time_s - self._batch_began_s:.1f} s",
            )
        )
        self._batch_began_s = time_s
        self._n_compared = record.errors.n

    def _why_none(self) -> str:
        """Say why no value is the best."""
        if self._record.n_left_out:
            return "none that counts"
        if self._record.n_broken:
            return "none meets the goal"
        return "all flagged" if self._record.n_excluded else "-"

    def _print_row(self, cells: Sequence[object], style: str = "") -> None:
        row = _ROW.format(*cells, width=self._width, error=len(self._error_heading))
        self._print(row, style)

    def _named(self, value: str, label: str) -> str:
        text = terminal_text(f"{value} {label}".rstrip())
        return text if len(text) <= self._width else text[: self._width - 1] + "…"

    def _describe_predicted(self) -> str:
        chosen = self._record.predicted
        left_out = self._record.left_out
        best = next((job for job in chosen if job.molecule_id not in left_out), None)
        if best is None:
            return "-"
        mean, std = chosen[best]
        value = rounded(mean, 2)
        if std:
            value += f"±{rounded(std, 2)}"
        return self._named(value, self._labels.get(best.molecule_id, ""))

    def _describe_error(self) -> str:
        """Mean error, in the unit, on what the model chose and has ended since the last line."""
        pairs = self._record.pairs[3 * self._n_compared :]
        errors = [abs(mean - value) for mean, value in zip(pairs[::3], pairs[2::3], strict=True)]
        return rounded(sum(errors) / len(errors), 2) if errors else "-"

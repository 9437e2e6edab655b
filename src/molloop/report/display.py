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
from molloop.report.numbers import rounded
from molloop.report.progress import ProgressDisplay
from molloop.report.results import Results
from molloop.simulate.outcome import Success
from molloop.texts import terminal_text

_ROW = "{:>4}  {:>5}  {:<{width}}  {:<{width}}  {:>4}  {:>4}  {:>5}  {:>6}"
_FIXED_WIDTH = len(_ROW.format(*[""] * 8, width=0))
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
        self._target = settings.target()
        least, most = _MOLECULE_WIDTHS
        self._width = max(least, min(most, (console.width - _FIXED_WIDTH) // 2))
        self._n_wanted = settings.campaign.max_training_count
        self._doing = "waiting for the first outcome"  # in a scheduler's queue perhaps
        self._smiles: dict[int, str] = {}
        self._values: dict[int, float] = {}
        self._n_failed = 0
        self._batch = 0
        self._batch_began_s = 0.0
        self._n_training = 0
        self._has_headings = False
        self._predicted: dict[int, float] = {}
        self._expected: dict[int, float] = {}  # of what is being simulated
        self._errors: list[float] = []
        self._n_shown = 0
        self._simulates_meanwhile = settings.campaign.schedule != "batch"
        self._next = (0, 0)

    def begin_with(self, results: Results) -> None:
        """Take in what a run has found before it goes on."""
        for item in results.simulated:
            self._count(item)
        self._n_shown = len(results.simulated)
        if results.rankings:
            last = results.rankings[-1]
            self._batch, self._predicted = (
                last.batch,
                dict(zip(last.molecule_ids, last.means, strict=False)),
            )

    def show_event(self, time_s: float, event: Event, simulated: Simulated | None) -> None:
        """Show what an event changes."""
        match event:
            case Began(n_molecules, n_known):
                self._print(self._title(n_molecules, n_known), "bold")
            case Resumed(changes):
                self._batch_began_s = time_s
                words = [f"going on with {len(self._values):,} values", *changes]
                self._print(" · ".join(words), "bold")
            case Submitted(molecule_ids):
                if self._batch:
                    self._doing = "simulating"
                self._expected |= {
                    key: self._predicted[key] for key in molecule_ids if key in self._predicted
                }
            case Finished() if simulated is not None:
                self._doing = "simulating"
                self._count(simulated)
            case RankingBegan(batch, n_training):
                if not self._simulates_meanwhile:
                    self._close_batch(time_s)
                    self._batch, self._n_training = batch, n_training
                    self._doing = "training and ranking"
                self._next = batch, n_training
            case Ranked(_, molecule_ids, means):
                if self._simulates_meanwhile:
                    self._close_batch(time_s)
                    self._batch, self._n_training = self._next
                self._predicted = dict(zip(molecule_ids, means, strict=False))
            case Stopped():
                self._close_batch(time_s)
                self._progress.show("writing tables and figures", has_other_lines=True)
                return
        self._show_progress()

    def _show_progress(self) -> None:
        n_done = len(self._values)
        failed = f", {self._n_failed:,} failed" if self._n_failed else ""
        done = f"{n_done:,}/{self._n_wanted:,}{failed}"
        self._progress.show(self._doing, n_done / self._n_wanted, done, has_other_lines=True)

    def _print(self, line: str, style: str = "") -> None:
        if not self._progress.is_quiet:
            self._console.print(Text(terminal_text(line), style), soft_wrap=True)
            self._progress.note_line()

    def _title(self, n_molecules: int, n_known: int) -> str:
        facts = [
            f"{Path(self._settings.library.source).name}: {n_molecules:,} molecules",
            self._target.level_label,
            f"seed {self._settings.campaign.seed}",
        ]
        if n_known:
            facts.append(f"{n_known:,} values known beforehand")
        return " · ".join(facts)

    def _count(self, simulated: Simulated) -> None:
        self._smiles[simulated.molecule_id] = simulated.smiles
        if isinstance(simulated.outcome, Success):
            value = self._values[simulated.molecule_id] = simulated.outcome.value
            expected = self._expected.pop(simulated.molecule_id, None)
            if expected is not None and value:
                self._errors.append(abs((expected - value) / value))
        else:
            self._n_failed += 1

    def _close_batch(self, time_s: float) -> None:
        """Print the line of the iteration that has ended."""
        n_ended = len(self._values) + self._n_failed
        if n_ended == self._n_shown:
            return
        self._n_shown = n_ended
        if not self._has_headings:
            self._has_headings = True
            unit = f" ({self._target.unit})" if self._target.unit else ""
            molecules = (f"best predicted{unit}", f"best simulated{unit}")
            headings = ("iter", "train", *molecules, "done", "fail", "error", "time")
            self._print_row(headings, "bold")
        sign = self._target.sign
        best = max(self._values, key=lambda key: sign * self._values[key], default=None)
        self._print_row(
            (
                self._batch,
                self._n_training or "-",
                self._describe_predicted(),
                "-" if best is None else self._named(self._values[best], self._smiles[best]),
                len(self._values),
                self._n_failed,
                self._describe_error(),
                f"{time_s - self._batch_began_s:.1f} s",
            )
        )
        self._batch_began_s = time_s
        self._errors = []

    def _print_row(self, cells: Sequence[object], style: str = "") -> None:
        self._print(_ROW.format(*cells, width=self._width), style)

    def _named(self, value: float, smiles: str) -> str:
        text = terminal_text(f"{rounded(value, 2)} {smiles}".rstrip())
        return text if len(text) <= self._width else text[: self._width - 1] + "…"

    def _describe_predicted(self) -> str:
        if not self._predicted:
            return "-"
        best = next(iter(self._predicted))
        return self._named(self._predicted[best], self._smiles.get(best, ""))

    def _describe_error(self) -> str:
        """Mean relative error of the model on what it chose and has ended since the last line."""
        n = len(self._errors)
        return f"{100 * sum(self._errors) / n:.1f}%" if n else "-"

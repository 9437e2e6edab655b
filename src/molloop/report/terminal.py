"""The screen: one progress display, a line an iteration, the best molecules at the end."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from molloop.campaign.state import Began, Event, Finished, Ranked, RankingBegan, Stopped, Submitted
from molloop.campaign.store import Simulated
from molloop.config import Settings
from molloop.report.results import Results
from molloop.simulate.levels import LEVELS
from molloop.simulate.outcome import Failure, Outcome, Success

_HEADINGS = (
    *("iter", "train", "best predicted (eV)", "best simulated (eV)"),
    *("done", "fail", "error", "time"),
)
_ROW = "{:>4}  {:>5}  {:<{width}}  {:<{width}}  {:>4}  {:>4}  {:>5}  {:>6}"
_FIXED_WIDTH = len(_ROW.format(*[""] * len(_HEADINGS), width=0))
_MOLECULE_WIDTHS = (19, 34)


class RunDisplay:
    """Shows a run while it goes on: a listener of its driver, a context manager for the screen."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self._console = console
        self._settings = settings
        least, most = _MOLECULE_WIDTHS
        self._width = max(least, min(most, (console.width - _FIXED_WIDTH) // 2))
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._library_bar = self._progress.add_task("reading the library", visible=False)
        self._bar = self._progress.add_task(
            "simulating", total=settings.campaign.max_training_count, visible=False
        )
        self._smiles: dict[int, str] = {}
        self._values: dict[int, float] = {}
        self._n_failed = 0
        self._batch = 0
        self._batch_began_s = 0.0
        self._n_training = 0
        self._predicted: dict[int, float] = {}
        self._in_batch: tuple[int, ...] = ()

    def __enter__(self) -> "RunDisplay":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show_library(self, n_read: int, n_lines: int | None) -> None:
        """Show how far the library has been read."""
        self._progress.update(self._library_bar, completed=n_read, total=n_lines, visible=True)

    def show_event(self, time_s: float, event: Event, simulated: Simulated | None) -> None:
        """Show what an event changes."""
        match event:
            case Began(n_molecules, n_known):
                self._progress.update(self._library_bar, visible=False)
                self._console.print(self._title(n_molecules, n_known), soft_wrap=True)
            case Submitted(molecule_ids):
                self._progress.update(self._bar, visible=True, description="simulating")
                if self._batch == 0:
                    self._in_batch += molecule_ids
                else:
                    self._in_batch = molecule_ids
            case Finished() if simulated is not None:
                self._count(simulated)
            case RankingBegan(batch, n_training):
                self._close_batch(time_s)
                self._batch, self._n_training, self._in_batch = batch, n_training, ()
                self._progress.update(self._bar, visible=True, description="training and ranking")
            case Ranked(_, molecule_ids, means):
                self._predicted = dict(zip(molecule_ids, means, strict=True))
            case Stopped():
                self._close_batch(time_s)
                self._progress.update(self._bar, visible=False)

    def _title(self, n_molecules: int, n_known: int) -> Text:
        facts = [
            f"{Path(self._settings.library.source).name}: {n_molecules:,} molecules",
            LEVELS[self._settings.simulation.level].label,
            f"seed {self._settings.campaign.seed}",
        ]
        if n_known:
            facts.append(f"{n_known:,} values known beforehand")
        return Text(" · ".join(facts), style="bold")

    def _count(self, simulated: Simulated) -> None:
        self._smiles[simulated.molecule_id] = simulated.smiles
        if isinstance(simulated.outcome, Success):
            self._values[simulated.molecule_id] = simulated.outcome.value
            self._progress.update(self._bar, completed=len(self._values))
        else:
            self._n_failed += 1

    def _close_batch(self, time_s: float) -> None:
        """Print the line of the iteration that has ended."""
        if not self._in_batch:
            return
        if self._batch == 0:
            self._print_row(_HEADINGS, style="bold")
        best = max(self._values, key=self._values.__getitem__, default=None)
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

    def _print_row(self, cells: Sequence[object], style: str = "") -> None:
        row = Text(_ROW.format(*cells, width=self._width), style=style)
        self._console.print(row, soft_wrap=True)

    def _named(self, ie_ev: float, smiles: str) -> str:
        text = f"{ie_ev:.2f} {smiles}".rstrip()
        return text if len(text) <= self._width else text[: self._width - 1] + "…"

    def _describe_predicted(self) -> str:
        if not self._predicted:
            return "-"
        best = next(iter(self._predicted))
        return self._named(self._predicted[best], self._smiles.get(best, ""))

    def _describe_error(self) -> str:
        """Mean relative error of the model on the batch that it chose."""
        errors = [
            abs(self._predicted[key] - self._values[key]) / self._values[key]
            for key in self._in_batch
            if key in self._values and key in self._predicted
        ]
        return f"{100 * sum(errors) / len(errors):.1f}%" if errors else "-"


def best_table(results: Results, n: int = 10) -> Group:
    """Return the best simulated molecules as a table."""
    table = Table(
        title=f"The best of {len(results.values)} simulated molecules", title_justify="left"
    )
    for column in ("rank", "IE (eV)", "SMILES", "iteration", "time (s)", "flags"):
        table.add_column(column, justify="left" if column in ("SMILES", "flags") else "right")
    values = results.values
    for rank, item in enumerate(results.best(n), start=1):
        table.add_row(
            str(rank),
            f"{values[item.molecule_id]:.3f}",
            Text(item.smiles, overflow="fold"),
            str(item.batch),
            f"{item.time_s:.1f}",
            ", ".join(item.outcome.flags) if isinstance(item.outcome, Success) else "",
        )
    return Group(table, _caption(results.label))


def outcome_table(smiles: Sequence[str], outcomes: Sequence[Outcome], level: str) -> Group:
    """Return the outcomes of single simulations as a table."""
    table = Table()
    for column in ("SMILES", "IE (eV)", "time (s)", "remarks"):
        table.add_column(column, justify="right" if "(" in column else "left")
    for text, outcome in zip(smiles, outcomes, strict=True):
        if isinstance(outcome, Failure):
            ie, remark = "-", f"failed, {outcome.kind}: {outcome.message}"
        else:
            ie, remark = f"{outcome.value:.3f}", ", ".join(outcome.flags)
        table.add_row(
            Text(text, overflow="fold"), ie, f"{outcome.seconds:.2f}", Text(remark, overflow="fold")
        )
    return Group(table, _caption(LEVELS[level].label))


def _caption(label: str) -> Text:
    return Text(f"Vertical ionization energy, {label}", style="italic")

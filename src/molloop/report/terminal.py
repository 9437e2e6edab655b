"""The screen: one progress display, a line an iteration, the best molecules at the end."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from molloop.campaign.engine import Work
from molloop.campaign.records import Simulated
from molloop.campaign.state import (
    Began,
    Event,
    Finished,
    Ranked,
    RankingBegan,
    Resumed,
    Stopped,
    Submitted,
)
from molloop.library.assemble import REJECTS
from molloop.library.shards import Library
from molloop.report.accuracy import Accuracy
from molloop.report.results import Results
from molloop.report.status import Status
from molloop.report.utilisation import utilisation
from molloop.settings import Settings
from molloop.simulate.outcome import Failure, Outcome, Success
from molloop.simulate.property import Property

_ROW = "{:>4}  {:>5}  {:<{width}}  {:<{width}}  {:>4}  {:>4}  {:>5}  {:>6}"
_FIXED_WIDTH = len(_ROW.format(*[""] * 8, width=0))
_MOLECULE_WIDTHS = (19, 34)
N_RECENT = 50


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


class ProgressDisplay:
    """Shows how far something is; a context manager for the screen."""

    def __init__(self, console: Console, progress: Progress | None = None) -> None:
        self._progress = progress or _progress(console)
        self._bar = self._progress.add_task("", total=1.0, visible=False, done="")

    def __enter__(self) -> "ProgressDisplay":
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.console.is_terminal:
            self._progress.stop()

    def show_library(self, what: str, fraction: float) -> None:
        """Show what is being done to a library, and how much of it."""
        self.show(f"library: {what}", fraction)

    def show(self, what: str, fraction: float) -> None:
        """Show what is being done, and how much of it."""
        self._progress.update(
            self._bar,
            description=what,
            completed=fraction,
            done=f"{fraction:.0%}",
            visible=True,
        )

    def hide(self) -> None:
        """Take it off the screen."""
        self._progress.update(self._bar, visible=False)


class RunDisplay:
    """Shows a run while it goes on: a listener of its driver, a context manager for the screen."""

    def __init__(self, console: Console, settings: Settings) -> None:
        self._console = console
        self._settings = settings
        self._target = settings.target()
        least, most = _MOLECULE_WIDTHS
        self._width = max(least, min(most, (console.width - _FIXED_WIDTH) // 2))
        self._progress = _progress(console)
        self.library = ProgressDisplay(console, self._progress)
        self._n_wanted = settings.campaign.max_training_count
        self._bar = self._progress.add_task(
            "simulating", total=self._n_wanted, visible=False, done=""
        )
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

    def __enter__(self) -> "RunDisplay":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin_with(self, results: Results) -> None:
        """Take in what a run has found before it goes on."""
        for item in results.simulated:
            self._count(item)
        self._n_shown = len(results.simulated)
        if results.rankings:
            last = results.rankings[-1]
            self._batch, self._predicted = (
                last.batch,
                dict(zip(last.molecule_ids, last.means, strict=True)),
            )

    def show_event(self, time_s: float, event: Event, simulated: Simulated | None) -> None:
        """Show what an event changes."""
        match event:
            case Began(n_molecules, n_known):
                self.library.hide()
                self._console.print(self._title(n_molecules, n_known), soft_wrap=True)
            case Resumed(changes):
                self.library.hide()
                self._batch_began_s = time_s
                words = [f"going on with {len(self._values):,} values", *changes]
                self._console.print(Text(" · ".join(words), style="bold"), soft_wrap=True)
            case Submitted(molecule_ids):
                self._progress.update(self._bar, visible=True, description="simulating")
                self._expected |= {
                    key: self._predicted[key] for key in molecule_ids if key in self._predicted
                }
            case Finished() if simulated is not None:
                self._count(simulated)
            case RankingBegan(batch, n_training):
                if not self._simulates_meanwhile:
                    self._close_batch(time_s)
                    self._batch, self._n_training = batch, n_training
                    self._progress.update(self._bar, description="training and ranking")
                self._next = batch, n_training
            case Ranked(_, molecule_ids, means):
                if self._simulates_meanwhile:
                    self._close_batch(time_s)
                    self._batch, self._n_training = self._next
                self._predicted = dict(zip(molecule_ids, means, strict=True))
            case Stopped():
                self._close_batch(time_s)
                self._progress.update(self._bar, visible=False)

    def _title(self, n_molecules: int, n_known: int) -> Text:
        facts = [
            f"{Path(self._settings.library.source).name}: {n_molecules:,} molecules",
            self._target.level_label,
            f"seed {self._settings.campaign.seed}",
        ]
        if n_known:
            facts.append(f"{n_known:,} values known beforehand")
        return Text(" · ".join(facts), style="bold")

    def _count(self, simulated: Simulated) -> None:
        self._smiles[simulated.molecule_id] = simulated.smiles
        if isinstance(simulated.outcome, Success):
            value = self._values[simulated.molecule_id] = simulated.outcome.value
            expected = self._expected.pop(simulated.molecule_id, None)
            if expected is not None and value:
                self._errors.append(abs((expected - value) / value))
            n_done = len(self._values)
            done = f"{n_done}/{self._n_wanted}"
            self._progress.update(self._bar, completed=n_done, done=done)
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
            self._print_row(headings, style="bold")
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
        row = Text(_ROW.format(*cells, width=self._width), style=style)
        self._console.print(row, soft_wrap=True)

    def _named(self, value: float, smiles: str) -> str:
        text = f"{value:.2f} {smiles}".rstrip()
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


def best_table(results: Results, n: int = 10) -> Group:
    """Return the best simulated molecules as a table."""
    table = Table(
        title=f"The best of {len(results.values)} simulated molecules", title_justify="left"
    )
    for column in ("rank", results.target.heading, "SMILES", "iteration", "time (s)", "flags"):
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
    return Group(table, _caption(results.target))


def run_summary(results: Results) -> Group:
    """Return how a run ended, what its workers did, and its best molecules."""
    lines: list[RenderableType] = []
    if results.stopped is not None:
        lines.append(Text(f"Ended: {results.stopped.reason}."))
    if (used := utilisation(results.tasks, results.resumed_s)) is not None:
        workers = "worker" if used.n_workers == 1 else "workers"
        shares = ", ".join(f"{work} {used.shares[work]:.0%}" for work in Work)
        lines.append(
            Text(
                f"{used.n_workers} {workers} in {used.duration_s:.1f} s: busy {used.busy:.0%} "
                f"({shares}), {1000 * used.median_gap_s:.0f} ms between two tasks"
            )
        )
    target, n = results.target, len(results.values)
    if target.threshold is not None and n:
        side = "above" if target.sign > 0 else "below"
        n_last = min(n, N_RECENT)
        lines.append(
            Text(
                f"{side} {target.threshold:g} {target.unit}: "
                f"{results.n_beyond_threshold()} of {n} values, "
                f"{results.n_beyond_threshold(n_last)} of the last {n_last}"
            )
        )
    lines += (_accuracy_line(where, one, target) for where, one in results.accuracy.items())
    if n:
        lines.append(best_table(results))
    return Group(*lines)


def _accuracy_line(where: str, one: Accuracy, target: Property) -> Text:
    low, high = one.error_interval
    least, most = one.within_interval
    unit = f" {target.unit}" if target.unit else ""
    return Text(
        f"Model, {one.n} {where}: off by {one.error:.2f}{unit} ({low:.2f} to {high:.2f}), "
        f"{one.bias:+.2f} in the mean; {one.within:.0%} within its standard deviation "
        f"({least:.0%} to {most:.0%}; 68% would be right)"
    )


def status_table(status: Status) -> Table:
    """Return where a run stands as a table."""
    rows = {
        "state": f"{status.state}: {status.reason}" if status.reason else status.state,
        "values": f"{status.n_values:,} of {status.n_wanted:,}",
        "under way": f"{status.n_under_way:,}",
        "failed": ", ".join(f"{n:,} {kind}" for kind, n in status.failures.items()) or "0",
        "rankings": f"{status.n_rankings:,}",
        "time": f"{status.time_s:.1f} s",
        "last process": f"{status.pid} on {status.host}, number {status.n_sessions}",
    }
    if status.best is not None:
        rows["best"] = f"{status.best[0]:.3f} ({status.column}) {status.best[1]}"
    if status.n_beyond_threshold is not None:
        rows["beyond the threshold"] = f"{status.n_beyond_threshold:,}"
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return table


def outcome_table(smiles: Sequence[str], outcomes: Sequence[Outcome], target: Property) -> Group:
    """Return the outcomes of single simulations as a table."""
    table = Table()
    for column in ("SMILES", target.heading, "time (s)", "remarks"):
        is_text = column in ("SMILES", "remarks")
        table.add_column(column, justify="left" if is_text else "right")
    for text, outcome in zip(smiles, outcomes, strict=True):
        if isinstance(outcome, Failure):
            value, remark = "-", f"failed, {outcome.kind}: {outcome.message}"
        else:
            value, remark = f"{outcome.value:.3f}", ", ".join(outcome.flags)
        table.add_row(
            Text(text, overflow="fold"),
            value,
            f"{outcome.seconds:.2f}",
            Text(remark, overflow="fold"),
        )
    return Group(table, _caption(target))


def library_summary(library: Library) -> Group:
    """Return what a library is made of as a table."""
    manifest = library.manifest
    counts, filters, morgan = manifest.counts, manifest.spec.filters, manifest.spec.morgan
    rows: dict[str, str] = {
        "molecules": f"{manifest.n_molecules:,}",
        "lines read": f"{counts.read:,}",
        "  no valid molecule": f"{counts.invalid:,}",
        "  filtered out": f"{counts.filtered:,}",
        "  repeated": f"{counts.duplicates:,}",
        "source": ", ".join(one.file for one in manifest.sources),
        "heavy atoms": f"{filters.min_heavy_atoms} to {filters.max_heavy_atoms or 'any number'}",
        "elements": ", ".join(filters.elements) if filters.elements else "any",
        "excluded": " ".join(filters.excluded_smarts) or "nothing",
        "fingerprints": f"Morgan, radius {morgan.radius}, {morgan.n_bits} bits",
        "descriptors": f"{len(manifest.descriptors)} of RDKit",
        "shards": f"{len(library.shards):,}",
        "bytes a molecule": f"{library.n_bytes() / manifest.n_molecules:.0f}",
        "made with": f"molloop {manifest.molloop_version}, RDKit {manifest.rdkit_version}",
        "folder": str(library.folder),
    }
    if counts.invalid + counts.filtered:
        rows["rejected lines"] = str(library.folder / REJECTS)
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    return Group(Text(manifest.name, style="bold"), table)


def comparison_table(rows: Sequence[Sequence[str]]) -> Table:
    """Return policies compared as a table: headings, then a row a policy."""
    return _table(rows, n_texts=1)


def trials_table(rows: Sequence[Sequence[str]], caption: str) -> Group:
    """Return configurations tried as a table: headings, then a row each."""
    return Group(_table(rows, n_texts=2), Text(caption, style="italic"))


def _table(rows: Sequence[Sequence[str]], n_texts: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(rows[0]):
        table.add_column(heading, justify="left" if number < n_texts else "right")
    for row in rows[1:]:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _caption(target: Property) -> Text:
    return Text(f"{target.title}, {target.level_label}", style="italic")

"""The screen: what a run, a library or a comparison has to show, as tables."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from molloop.campaign.jobs import Simulated
from molloop.goal import Quantity
from molloop.library.shards import Library
from molloop.molecule import label
from molloop.report.budget import Budget
from molloop.report.found import Found
from molloop.report.numbers import rounded
from molloop.report.status import Status
from molloop.report.summary import summary_lines
from molloop.simulate.levels import LAST_ELEMENT
from molloop.simulate.outcome import Failure, Outcome, Success
from molloop.simulate.protocol import SimulationProtocol
from molloop.texts import counted, terminal_text


def best_table(results: Found, n: int = 10) -> Group:
    """Return the best simulated molecules as a table."""
    best, goal = results.best(n), results.goal
    values = counted(len(results.values), "simulated molecule")
    title = f"The best of {values}"
    if goal is not None and goal.has_front:
        n_front = len(results.best(len(results.simulated)))
        title = f"{len(best):,} of the {n_front:,} on the Pareto front of {values}"
    table = Table(
        title=title + (f" of the stage {results.protocol.stage}" if results.protocols else ""),
        title_justify="left",
    )
    more = () if goal is None else goal.shown
    has_names = any(one.name for one in best)
    for column in (
        "rank",
        results.objective.quantity.heading,
        *(one.heading for one in more),
        *(("name",) if has_names else ()),
        "SMILES",
        "iteration",
        "time (s)",
        "flags",
    ):
        is_text = column in ("name", "SMILES", "flags")
        table.add_column(_text(column), justify="left" if is_text else "right")
    for rank, item in enumerate(best, start=1):
        table.add_row(
            str(rank),
            rounded(results.values[item.molecule_id]),
            *(_value(item, one) for one in more),
            *([_text(item.name)] if has_names else []),
            _text(item.smiles),
            str(item.batch),
            f"{item.time_s:.1f}",
            _text(", ".join(item.outcome.flags) if isinstance(item.outcome, Success) else ""),
        )
    return Group(table, _caption(results.objective.quantity, results.protocol))


def _value(item: Simulated, quantity: Quantity) -> str:
    value = item.value(quantity.name)
    return "-" if value is None else rounded(value)


def run_summary(results: Found) -> Group:
    """Return how a run ended, what its workers did, and its best molecules."""
    # not `_text`, whose overflow would cut what is printed without a line's end at the width
    lines: list[RenderableType] = [Text(terminal_text(one)) for one in summary_lines(results)]
    if results.best(1):
        lines.append(best_table(results))
    return Group(*lines)


def status_table(status: Status) -> Table:
    """Return where a run stands as a table."""
    again = "; `molloop resume` simulates them again" if status.n_not_finished else ""
    budget = Budget(status.n_wanted, status.time_limit_s)
    rows = {
        "state": f"{status.state}: {status.reason}" if status.reason else status.state,
        "values": f"{status.n_values:,} of {budget.words()}",
        **{
            f"values of {stage}": f"{n:,}, {status.n_failed_of_stages[stage]:,} failed"
            for stage, n in status.n_of_stages.items()
        },
        "under way": f"{status.n_under_way:,}",
        "not finished": f"{status.n_not_finished:,}{again}",
        "failed": ", ".join(f"{n:,} {kind}" for kind, n in status.failures.items()) or "0",
        "rankings": f"{status.n_rankings:,}",
        "time": f"{status.time_s:.1f} s",
        "last process": f"{status.pid} on {status.host}, number {status.n_sessions}",
    }
    if status.best is not None:
        rows["best"] = (
            f"{rounded(status.best[0])} ({status.column}) {label(status.best[1], status.best_name)}"
        )
    if status.n_front is not None:
        rows["Pareto front"] = counted(status.n_front, "molecule")
    if status.n_broken:
        rows["outside the goal"] = f"{status.n_broken:,}, never among the best"
    if status.n_left_out:
        rows["outside the conditions"] = f"{status.n_left_out:,}, never among the best"
    if status.n_excluded:
        rows["flagged"] = f"{status.n_excluded:,}, never among the best"
    if status.n_beyond_threshold is not None:
        rows["beyond the threshold"] = f"{status.n_beyond_threshold:,}"
    return _facts_table(rows)


def outcome_table(
    outcomes: Sequence[Outcome], protocol: SimulationProtocol, quantity: Quantity
) -> Group:
    """Return the outcomes of single simulations, which say their molecules, as a table."""
    table = Table()
    has_names = any(one.name for one in outcomes)
    heading = ("name",) if has_names else ()
    quantities = (quantity, *protocol.further)
    values = [one.heading for one in quantities]
    for column in (*heading, "SMILES", *values, "time (s)", "remarks"):
        is_text = column in ("name", "SMILES", "remarks")
        table.add_column(_text(column), justify="left" if is_text else "right")
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            remark = f"failed, {outcome.kind}: {outcome.message}"
        else:
            remark = ", ".join(outcome.flags)
        named = outcome.named if isinstance(outcome, Success) else {}
        table.add_row(
            *([_text(outcome.name)] if has_names else []),
            _text(outcome.smiles),
            *(rounded(named[one.name]) if one.name in named else "-" for one in quantities),
            f"{outcome.seconds:.2f}",
            _text(remark),
        )
    return Group(table, _caption(quantity, protocol))


def calculation_lines(success: Success) -> list[str]:
    """Return the calculations of a molecule, a line each."""
    return [
        f"  {name}: {point.method}{f' in {point.solvent}' if point.solvent else ''}, "
        f"charge {point.charge}, multiplicity {point.n_unpaired + 1}, "
        f"geometry {point.geometry or '-'}, {counted(point.n_steps, 'step')}: "
        f"{point.energy_ev:.4f} eV"
        for name, point in success.calculations.items()
    ]


def library_summary(library: Library) -> Group:
    """Return what a library is made of as a table."""
    heading = _text(library.manifest.name, "bold")
    return Group(heading, _facts_table(library.summary(LAST_ELEMENT)))


def comparison_table(rows: Sequence[Sequence[str]]) -> Table:
    """Return policies compared as a table: headings, then a row a policy."""
    return _table(rows, n_texts=1)


def trials_table(rows: Sequence[Sequence[str]], caption: str) -> Group:
    """Return configurations tried as a table: headings, then a row each."""
    return Group(_table(rows, n_texts=2), _text(caption, "italic"))


def _table(rows: Sequence[Sequence[str]], n_texts: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(rows[0]):
        table.add_column(_text(heading), justify="left" if number < n_texts else "right")
    for row in rows[1:]:
        table.add_row(*map(_text, row))
    return table


def _facts_table(rows: Mapping[str, str]) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(_text(name, "bold"), _text(value))
    return table


def _caption(quantity: Quantity, protocol: SimulationProtocol) -> Text:
    # not `_text`: see `run_summary`
    return Text(terminal_text(f"{quantity.title}, {protocol.label}"), "italic")


def _text(text: str, style: str = "") -> Text:
    """Return a text of one line, which is no markup."""
    return Text(terminal_text(text), style, overflow="fold")

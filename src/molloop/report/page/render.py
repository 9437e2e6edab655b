"""A run becomes the sections of a page, and these a document."""

import shlex
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from math import inf
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from molloop.campaign.engine import Work
from molloop.campaign.jobs import Simulated
from molloop.report.budget import Budget
from molloop.report.numbers import rounded
from molloop.report.page import front_plots, plots
from molloop.report.page.drawings import drawing
from molloop.report.page.feed import Run
from molloop.report.page.ladder import stage_facts
from molloop.report.status import RUNNING, split_open
from molloop.report.utilisation import utilisation
from molloop.simulate.outcome import Failure, Success
from molloop.store.expected import Errors
from molloop.store.record import N_BEST, N_LAST, Record
from molloop.texts import counted, html_text

N_KINDS = 20
N_LATELY = 100  # values by which the time that is left is told
TEXTS = ("progress", "best", "recent", "failures", "model")
STATIC = resources.files("molloop.report.page") / "static"
_TEMPLATES = Environment(
    loader=PackageLoader("molloop.report.page"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=html_text,  # of all that a template shows
)
_TEMPLATES.globals["drawing"] = drawing


def duration(seconds: float) -> str:
    """Return a time in words: ``3.2 s``, ``4 min 10 s``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def state(item: Simulated) -> str:
    """Return charge and unpaired electrons in words; nothing where they are not known."""
    known = item.outcome.molecule if isinstance(item.outcome, Success) else None
    if known is None:
        return ""
    charge = f"{known.charge:+d}" if known.charge else "0"
    electrons = "electron" if known.n_unpaired == 1 else "electrons"
    unpaired = f" · {known.n_unpaired} unpaired {electrons}" if known.n_unpaired else ""
    return f"charge {charge}{unpaired}"


_TEMPLATES.filters["state"] = state
_TEMPLATES.filters["seconds"] = duration
_TEMPLATES.filters["rounded"] = rounded
_TEMPLATES.filters["counted"] = counted


def texts(run: Run, heading: str = "h2") -> dict[str, Markup]:
    """Return the sections of words and tables, by name; cheap."""
    shown = facts(run) | {"heading": heading}
    return {name: _section(name, shown) for name in TEXTS}


def figures(run: Run) -> dict[str, Markup]:
    """Return the sections that are drawn, and the tables of stages, by name.

    What there is nothing of is empty.
    """
    drawn: dict[str, tuple[bool, Callable[[Run], Markup]]] = {
        "found": (bool(run.record.values), _found),
        "pairs": (run.record.errors.n > 1, plots.predicted_and_simulated),
        "workers": (len(run.record.tasks) > 0, plots.workers_over_time),
    }
    found = {
        name: draw(run) if is_there else Markup("") for name, (is_there, draw) in drawn.items()
    }
    if run.settings.stages:
        # with the figures: what compares stages takes longer than other words
        found["stages"] = _section("stages", stage_facts(run))
        found["pairs"] += plots.predicted_of_stages(run)
    return found


def _found(run: Run) -> Markup:
    goal = run.record.goal
    if goal is not None and goal.has_front:
        return front_plots.front_and_volume(run, goal)
    return plots.found_over_time(run)


def facts(run: Run) -> dict[str, Any]:
    """Return what the templates show."""
    budget = Budget.of(run.settings)
    is_running = run.state == RUNNING
    n_under_way, n_not_finished = split_open(run.state, run.record.n_open)
    return {
        "run": run,
        "name": run.name,
        "objective": run.settings.objective(),
        "quantity": run.settings.objective().quantity,
        "further": run.settings.protocol().further,
        "level_label": run.settings.protocol().label,
        "budget": budget,
        "share": budget.share(run.record.n_values, run.record.time_s),
        "is_running": is_running,
        "left_s": left_s(run) if is_running else None,
        "n_under_way": n_under_way,
        "n_not_finished": n_not_finished,
        "library": run.library,
        "conditions": run.conditions,
        "built_with": run.built_with,
        "best": [(item, run.record.value(item)) for item in run.record.best(run.record.n_kept)],
        "n_front": len(run.record.front()) if run.settings.goal().has_front else None,
        "bounds": [one.words for one in run.settings.goal().constraints],
        "recent": [_recent(item, run.record) for item in run.record.recent],
        "n_last": min(N_LAST, run.record.n_values),
        "n_beyond_last": run.record.n_beyond_of_last(N_LAST),
        "error": _error(run.record.errors),
        "failures": run.record.failures.most_common(N_KINDS),
        "n_other_kinds": max(0, len(run.record.failures) - N_KINDS),
    }


def left_s(run: Run) -> float | None:
    """Return how long the values that are missing take, as fast as the last ones came.

    Not beyond the time limit; without a count, until then.
    """
    budget = Budget.of(run.settings)
    limit_s = inf if budget.time_limit_s is None else budget.time_limit_s
    until_then_s = max(0.0, limit_s - run.record.time_s)
    if budget.n_wanted is None:
        return until_then_s
    n_missing = budget.n_wanted - run.record.n_values
    since = max([0.0, *run.record.resumed_s])
    lately = [time_s for time_s in run.record.times_s[-N_LATELY:] if time_s >= since]
    if len(lately) < 2 or n_missing < 1:
        return None
    left = n_missing * (run.record.time_s - lately[0]) / (len(lately) - 1)
    return min(left, until_then_s)


def _recent(item: Simulated, record: Record) -> dict[str, Any]:
    outcome, value = item.outcome, item.value(record.objective.quantity.name)
    if isinstance(outcome, Failure):
        told = f"{outcome.kind}: {outcome.message}"
    else:
        told = ", ".join(outcome.flags)
    # without its stage a value of another one would be taken for one of the last
    notes = (*((item.stage,) if len(record.of_stages) > 1 else ()), state(item))
    molecule = {"smiles": item.smiles, "name": item.name, "notes": " · ".join(filter(None, notes))}
    return molecule | {"value": value, "told": told, "time_s": item.time_s}


def _error(errors: Errors) -> dict[str, float] | None:
    if not errors.n:
        return None
    return {
        "n": errors.n,
        "mean": errors.absolute / errors.n,
        "bias": errors.signed / errors.n,
        "within": errors.n_within / errors.n,
    }


def provenance(run: Run) -> dict[str, Any]:
    """Return what does not change while a process runs: configuration, versions, utilisation."""
    used = utilisation(run.record.tasks, run.record.resumed_s)
    session = run.sessions[-1]
    return {
        "sessions": run.sessions,
        "packages": session.environment.get("packages", {}),
        "command": shlex.join(map(str, session.environment.get("command", []))),
        "host": session.environment.get("host", ""),
        "library_files": session.environment.get("library", {}).get("name", ""),
        "config": session.config,
        "used": used,
        "works": list(Work),
    }


def about(run: Run, heading: str = "h2") -> dict[str, Markup]:
    """Return the section on configuration, versions and utilisation, by its name."""
    return {"about": _section("about", facts(run) | provenance(run) | {"heading": heading})}


def sections(run: Run, heading: str = "h2") -> dict[str, Markup]:
    """Return all sections of a run, by name, with a heading of that level."""
    return texts(run, heading) | figures(run) | about(run, heading)


def live_document(run: Run, shown: Mapping[str, str]) -> str:
    """Return the page of a run that goes on, with its sections as they were last made."""
    safe = {name: Markup(text) for name, text in shown.items()}
    return _document([facts(run) | {"sections": safe}], is_live=True, heading="h2")


def frozen_document(runs: Sequence[Run]) -> str:
    """Return the page of some runs as they are, in a file that needs nothing else."""
    is_one = len(runs) == 1
    heading = "h2" if is_one else "h3"
    names = names_of(runs)
    shown = [
        facts(run) | {"name": name, "sections": sections(run, heading)}
        for run, name in zip(runs, names, strict=True)
    ]
    compared = None if is_one else plots.side_by_side(runs, names)
    return _document(shown, is_live=False, heading=heading, compared=compared)


def names_of(runs: Sequence[Run]) -> list[str]:
    """Return names that tell the runs apart: of their folders, or their paths."""
    counts = Counter(run.name for run in runs)
    return [run.name if counts[run.name] == 1 else run.path for run in runs]


def _document(
    runs: Sequence[Mapping[str, Any]],
    *,
    is_live: bool,
    heading: str,
    compared: Markup | None = None,
) -> str:
    return _TEMPLATES.get_template("page.html").render(
        runs=runs,
        is_live=is_live,
        heading=heading,
        style=Markup((STATIC / "page.css").read_text(encoding="utf-8")),
        made_at=time.strftime("%Y-%m-%d %H:%M"),
        compared=compared,
        n_best=N_BEST,
    )


def _section(name: str, shown: Mapping[str, Any]) -> Markup:
    return Markup(_TEMPLATES.get_template(f"{name}.html").render(shown))

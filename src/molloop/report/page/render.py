"""A run becomes the sections of a page, and these a document."""

import time
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from molloop.campaign.engine import Work
from molloop.campaign.records import Simulated
from molloop.report.page import plots
from molloop.report.page.drawings import drawing
from molloop.report.page.feed import Run
from molloop.report.status import RUNNING
from molloop.report.utilisation import utilisation
from molloop.simulate.outcome import Failure, Success

N_LAST = 50
TEXTS = ("progress", "best", "recent", "failures", "model")
STATIC = resources.files("molloop.report.page") / "static"
_TEMPLATES = Environment(
    loader=PackageLoader("molloop.report.page"), autoescape=True, undefined=StrictUndefined
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


_TEMPLATES.filters["seconds"] = duration


def texts(run: Run) -> dict[str, Markup]:
    """Return the sections of words and tables, by name; cheap."""
    shown = facts(run)
    return {name: Markup(_TEMPLATES.get_template(f"{name}.html").render(shown)) for name in TEXTS}


def figures(run: Run) -> dict[str, Markup]:
    """Return the sections that are drawn, by name; what there is nothing of is empty."""
    drawn: dict[str, tuple[bool, Callable[[Run], Markup]]] = {
        "found": (bool(run.values), plots.found_over_time),
        "pairs": (len(run.pairs) > 1, plots.predicted_and_simulated),
        "workers": (bool(run.tasks), plots.workers_over_time),
    }
    return {name: draw(run) if is_there else Markup("") for name, (is_there, draw) in drawn.items()}


def facts(run: Run) -> dict[str, Any]:
    """Return what the templates show."""
    target = run.settings.target()
    n_wanted = run.settings.campaign.max_training_count
    is_running = run.state == RUNNING
    left_s = None
    if is_running and run.n_values:
        left_s = run.time_s / run.n_values * max(0, n_wanted - run.n_values)
    return {
        "run": run,
        "name": run.folder.name,
        "target": target,
        "n_wanted": n_wanted,
        "share": min(1.0, run.n_values / n_wanted),
        "is_running": is_running,
        "left_s": left_s,
        "n_under_way": max(0, run.n_submitted - run.n_values - run.n_failed),
        "best": run.best_first(),
        "recent": [_recent(item) for item in run.recent],
        "n_beyond": sum(run.is_beyond),
        "n_last": min(N_LAST, run.n_values),
        "n_beyond_last": sum(run.is_beyond[-N_LAST:]),
        "error": _error(run),
    }


def _recent(item: Simulated) -> dict[str, Any]:
    outcome = item.outcome
    told = f"{outcome.kind}: {outcome.message}" if isinstance(outcome, Failure) else ""
    value = outcome.value if isinstance(outcome, Success) else None
    return {"smiles": item.smiles, "value": value, "told": told, "time_s": item.time_s}


def _error(run: Run) -> dict[str, float] | None:
    if not run.pairs:
        return None
    n = len(run.pairs)
    return {
        "n": n,
        "mean": sum(abs(mean - value) for mean, _, value in run.pairs) / n,
        "bias": sum(mean - value for mean, _, value in run.pairs) / n,
        "within": sum(abs(mean - value) <= std for mean, std, value in run.pairs) / n,
    }


def provenance(run: Run) -> dict[str, Any]:
    """Return what does not change while a process runs: configuration, versions, utilisation."""
    used = utilisation(run.tasks, run.resumed_s)
    session = run.sessions[-1]
    return {
        "sessions": run.sessions,
        "packages": session.environment.get("packages", {}),
        "command": " ".join(map(str, session.environment.get("command", []))),
        "host": session.environment.get("host", ""),
        "library": session.environment.get("library", {}).get("name", ""),
        "config": session.config,
        "used": used,
        "works": list(Work),
    }


def about(run: Run) -> dict[str, Markup]:
    """Return the section on configuration, versions and utilisation, by its name."""
    return {"about": _section("about", facts(run) | provenance(run))}


def sections(run: Run) -> dict[str, Markup]:
    """Return all sections of a run, by name."""
    return texts(run) | figures(run) | about(run)


def live_document(run: Run, shown: Mapping[str, str]) -> str:
    """Return the page of a run that goes on, with its sections as they were last made."""
    safe = {name: Markup(text) for name, text in shown.items()}
    return _document([facts(run) | {"sections": safe}], is_live=True)


def frozen_document(runs: Sequence[Run]) -> str:
    """Return the page of some runs as they are, in a file that needs nothing else."""
    shown = [facts(run) | {"sections": sections(run)} for run in runs]
    compared = plots.side_by_side(runs) if len(runs) > 1 else None
    return _document(shown, is_live=False, compared=compared)


def _document(
    runs: Sequence[Mapping[str, Any]], *, is_live: bool, compared: Markup | None = None
) -> str:
    return _TEMPLATES.get_template("page.html").render(
        runs=runs,
        is_live=is_live,
        style=Markup((STATIC / "page.css").read_text(encoding="utf-8")),
        made_at=time.strftime("%Y-%m-%d %H:%M"),
        compared=compared,
    )


def _section(name: str, shown: Mapping[str, Any]) -> Markup:
    return Markup(_TEMPLATES.get_template(f"{name}.html").render(shown))

"""Results as a notebook shows them. Whatever a molecule or an error says is text, never a tag."""

from markupsafe import Markup

from molloop.report.found import Found
from molloop.report.numbers import rounded
from molloop.report.page.drawings import drawing
from molloop.report.summary import summary_lines
from molloop.simulate.outcome import Outcome, Success
from molloop.texts import counted, html_text

N_BEST = 10
# of colours only what is drawn on: the notebook's theme, light or dark, has the rest
_PAGE = Markup(
    "<div><strong>{title}</strong><br><em>{level}</em>"
    '<p style="margin:.5em 0">{lines}</p>'
    '<div style="display:flex;flex-wrap:wrap;gap:12px">{molecules}</div></div>'
)
_MOLECULE = Markup(
    '<figure style="width:160px;margin:0">'
    '<div style="background:#fff;border-radius:6px;padding:4px">{drawn}</div>'
    '<figcaption style="overflow-wrap:anywhere">'
    "<strong>{value}</strong><br>{smiles}{flags}</figcaption>"
    "</figure>"
)


def results_html(results: Found) -> str:
    """Return a summary of a run and its best molecules, drawn, as HTML that needs nothing else."""
    objective, values = results.objective, results.values
    n_failed = results.n_failed
    title = (
        f"{objective.quantity.title}: {counted(len(values), 'value')} of "
        f"{counted(results.n_molecules, 'molecule')}"
    )
    molecules = [
        _MOLECULE.format(
            drawn=drawing(item.smiles),
            value=html_text(f"{rounded(values[item.molecule_id])} {objective.quantity.unit}"),
            smiles=html_text(item.label),
            flags=_flags(item.outcome),
        )
        for item in results.best(N_BEST)
    ]
    return str(
        _PAGE.format(
            title=html_text(title + (f", {n_failed:,} failed" if n_failed else "")),
            level=html_text(results.protocol.label),
            lines=Markup("<br>").join(map(html_text, summary_lines(results))),
            molecules=Markup().join(molecules),
        )
    )


def _flags(outcome: Outcome) -> Markup:
    flags = outcome.flags if isinstance(outcome, Success) else ()
    return Markup("<br><em>{}</em>").format(html_text(", ".join(flags))) if flags else Markup("")

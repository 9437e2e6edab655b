"""`molloop suggest`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from molloop.cli import completion
from molloop.cli.options import (
    ConditionsOption,
    FeaturesOption,
    NoHeaderOption,
    PolicyOption,
    QuietOption,
    SeparatorOption,
    SetConditionOption,
    SmilesColumnOption,
    progress_display,
    stated_conditions,
)
from molloop.cli.screen import say
from molloop.errors import not_written
from molloop.texts import counted, terminal_path

if TYPE_CHECKING:
    from molloop.assembly.suggest import Suggestions


def suggest(
    library: Annotated[
        str,
        typer.Argument(
            metavar="LIBRARY",
            help="qm9, a library's folder, or a file of SMILES.",
            show_default=False,
            autocompletion=completion.libraries,
        ),
    ],
    training_data: Annotated[
        Path, typer.Option(help="Table of values: a column of SMILES and one of numbers.")
    ],
    n: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 20,
    goal: Annotated[
        Path | None,
        typer.Option(
            metavar="CONFIG.toml",
            help="Whose [[objectives]] and [[constraints]] say what is searched for; the table has "
            "a column for each computed quantity.",
            show_default=False,
        ),
    ] = None,
    pending: Annotated[
        Path | None, typer.Option(help="File of molecules that are being tried.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Of the values. Left out: the only one that holds numbers.")
    ] = None,
    smiles_column: SmilesColumnOption = None,
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    direction: Annotated[
        str,
        typer.Option(
            help="Which values are good: maximise or minimise.",
            autocompletion=completion.directions,
        ),
    ] = "maximise",
    policy: PolicyOption = None,
    features: FeaturesOption = None,
    diversity: Annotated[
        float | None,
        typer.Option(
            help="Tanimoto distance of any two of them, at least: 0 to 1.", show_default="none"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what the model draws.")] = 42,
    conditions: ConditionsOption = None,
    assignments: SetConditionOption = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write instead; one that is there is replaced.")
    ] = None,
    is_quiet: QuietOption = False,
) -> None:
    """Name the molecules to try next, for values from elsewhere, as CSV: no run, no simulation."""
    from molloop import api

    stated = stated_conditions(conditions, assignments)
    with progress_display(is_quiet) as display:
        found = api.suggest(
            library,
            training_data,
            n,
            goal=goal,
            pending=pending,
            column=column,
            smiles_column=smiles_column,
            separator=separator,
            no_header=no_header,
            direction=direction,
            policy=policy or "gp",
            features=features,
            diversity=diversity,
            seed=seed,
            conditions=stated,
            progress=display.show_library,
        )
    if not is_quiet:
        say(_told(found, n, diversity), *filter(None, [found.charges]), is_error=True)
    text = found.to_csv()
    if out is None:
        say(*text.removesuffix("\n").split("\n"))
        return
    _write(text, out)
    say(f"{counted(len(found.molecules), 'molecule')}: {terminal_path(out)}")


def _told(found: "Suggestions", n_asked: int, diversity: float | None) -> str:
    """Say what a model was trained on, and where fewer are named than were asked for."""
    parts = [f"{counted(found.n_values, 'value')} of {found.column}"]
    if found.n_outside:
        parts.append(f"{found.n_outside:,} of molecules that the library does not hold")
    if found.n_without:
        parts.append(f"{counted(found.n_without, 'molecule')} without a value")
    if found.n_pending:
        parts.append(f"{found.n_pending:,} pending")
    if (n := len(found.molecules)) < n_asked:
        which = "" if diversity is None else " so far from the others"
        parts.append(f"{n:,} of {n_asked:,} asked for: no other molecule{which} is left")
    if found.conditions:
        parts.append(found.conditions)
    return " · ".join(parts)


def _write(text: str, out: Path) -> None:
    from molloop.files import write_whole

    try:
        write_whole(out, lambda unfinished: unfinished.write_text(text, "utf-8"))
    except OSError as error:
        raise not_written("file to write", out, error) from error

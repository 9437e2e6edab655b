"""What several commands share: options, and the display of progress."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from molloop.cli import completion
from molloop.cli.command import DefaultOf
from molloop.errors import InputError
from molloop.library.registry import FEATURES
from molloop.surrogate.registry import MODELS

if TYPE_CHECKING:
    from molloop.config.conditions import ConditionsSettings
    from molloop.report.progress import ProgressDisplay


SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Set anything; may be repeated."),
]
RunDirArgument = Annotated[
    Path, typer.Argument(metavar="RUN_DIR", autocompletion=completion.run_dirs)
]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Execute what the run's database names, also of a directory from somebody else.",
    ),
]
LevelOption = Annotated[
    str | None,
    typer.Option(
        help="Of ionization: gfn2, gfn1, ipea1, or of DFT such as b3lyp/def2-svp.",
        show_default=DefaultOf("simulation.level"),
        autocompletion=completion.levels,
    ),
]
LadderOption = Annotated[
    str | None,
    typer.Option(
        metavar="LEVEL,LEVEL",
        help="Two or three levels in the place of one, the cheapest first: ipea1,b3lyp/def2-svp. "
        "It is short for the tables stages, as `molloop config` explains them.",
        show_default="one level",
    ),
]
FidelityOption = Annotated[
    str | None,
    typer.Option(
        help="Of ionization: relaxed, mmff-geometry or input-geometry.",
        show_default=DefaultOf("simulation.fidelity"),
        autocompletion=completion.fidelities,
    ),
]
QuantityOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="The quantity: `molloop quantities` lists them.",
        show_default=DefaultOf("property.name"),
        autocompletion=completion.quantities,
    ),
]
SolventOption = Annotated[
    str | None,
    typer.Option(
        help="Of ionization: a solvent by name.",
        show_default="none",
        autocompletion=completion.solvents,
    ),
]
MultiplicityOption = Annotated[
    int | None,
    typer.Option(help="Of ionization: 1 a singlet, 3 a triplet.", show_default="as the SMILES"),
]
ScheduleOption = Annotated[
    str | None,
    typer.Option(
        help="interleaved or batch.",
        show_default=DefaultOf("campaign.schedule"),
        autocompletion=completion.schedules,
    ),
]
PolicyOption = Annotated[
    str | None,
    typer.Option(
        help=f"{', '.join(MODELS.own)}; gp-ei: with another score; or package.module:Class.",
        show_default=DefaultOf("search.policy"),
        autocompletion=completion.policies,
    ),
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(
        help=f"{', '.join(FEATURES.own)}; or package.module:function.",
        show_default="the model's own",
        autocompletion=completion.features,
    ),
]
SiteOption = Annotated[
    str | None,
    typer.Option(
        help="One of `molloop sites`.",
        show_default=DefaultOf("site.name"),
        autocompletion=completion.sites,
    ),
]
SmilesColumnOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|N",
        help="Of SMILES or InChI, by name or number. Left out: found by its name.",
    ),
]
KeepColumnsOption = Annotated[
    str, typer.Option(metavar="A,B,...", help="Keep these columns, too.", show_default=False)
]
NameColumnOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|N",
        help="Of the molecules' names. Left out: found by its name; behind the SMILES; titles.",
    ),
]
SeparatorOption = Annotated[
    str | None,
    typer.Option(
        metavar="SIGN",
        help="Between two cells: comma, semicolon, tab, blank, or the sign. Left out: found.",
    ),
]
NoHeaderOption = Annotated[
    bool, typer.Option("--no-header", help="The first line is a molecule in any case.")
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress, only results and errors.")
]


ConditionsOption = Annotated[
    Path | None,
    typer.Option(metavar="CONFIG.toml", help="Whose [conditions] molecules must meet."),
]
SetConditionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="conditions.KEY=VALUE",
        help="Set a condition; may be repeated; `molloop config` lists them.",
    ),
]


def stated_conditions(
    path: Path | None, assignments: list[str] | None, overrides: Mapping[str, object] | None = None
) -> "ConditionsSettings":
    """Return the conditions of a file, and what overrides them.

    Raises
    ------
    InputError
        Something is unknown, wrong, given twice or no condition.
    """
    from molloop.config.load import load, named

    for key in sorted(named(assignments or [])):
        if not key.startswith("conditions."):
            raise InputError("--set", key, "conditions.KEY=VALUE", "Here, it sets nothing else.")
    return load(path, assignments or [], overrides).conditions


def progress_display(is_quiet: bool) -> "ProgressDisplay":
    """Return what shows progress on the standard error."""
    from molloop.report.progress import LastingConsole, ProgressDisplay

    return ProgressDisplay(LastingConsole(stderr=True), is_quiet=is_quiet)


def stages_of(ladder: str | None) -> list[dict[str, str]] | None:
    """Return the stages that the short form names; None where it is left out."""
    return None if ladder is None else [{"level": one.strip()} for one in ladder.split(",")]

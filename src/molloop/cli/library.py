"""`molloop library`: build, enumerate, look at and verify libraries."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from molloop.cli import completion
from molloop.cli.command import Command
from molloop.cli.options import (
    ConditionsOption,
    KeepColumnsOption,
    NameColumnOption,
    NoHeaderOption,
    QuietOption,
    SeparatorOption,
    SetConditionOption,
    SmilesColumnOption,
    progress_display,
    stated_conditions,
)
from molloop.cli.screen import say
from molloop.errors import InputError
from molloop.texts import terminal_path

if TYPE_CHECKING:
    from molloop.library.conditions import Conditions
    from molloop.library.manifest import BuildSpec
    from molloop.library.reading.options import Reading
    from molloop.library.shards import Library

app = typer.Typer(
    name="library",
    help="Build libraries of any size; look at them, verify them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Takes the library; new, or a build to go on.")
]
MinAtomsOption = Annotated[
    int | None, typer.Option(min=0, help="Leave out smaller molecules.", show_default="0")
]
MaxAtomsOption = Annotated[int | None, typer.Option(min=1, help="Leave out larger molecules.")]
ElementsOption = Annotated[
    str | None,
    typer.Option(metavar="C,N,...", help="Leave out molecules with others; H is allowed."),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="SMARTS", help="Leave out what matches; may be repeated."),
]
FragmentsOption = Annotated[
    str,
    typer.Option(
        help="Of salts: refuse; largest: that piece stays; neutralise: and its charges go.",
        autocompletion=completion.fragments,
    ),
]
SameAsOption = Annotated[
    str,
    typer.Option(
        help="Which molecules are the same: smiles, no-stereo, inchikey or tautomer.",
        autocompletion=completion.same_as,
    ),
]
RadiusOption = Annotated[int, typer.Option(min=0, help="Of the Morgan fingerprints, in bonds.")]
BitsOption = Annotated[int, typer.Option(help="Of the fingerprints, a multiple of 64.")]
ProcessesOption = Annotated[
    int | None, typer.Option(min=1, help="That parse molecules.", show_default="all cores")
]
LibraryArgument = Annotated[
    str,
    typer.Argument(
        metavar="DIR",
        help="A library's folder, qm9, or a file of molecules.",
        show_default=False,
        autocompletion=completion.libraries,
    ),
]


@app.command(cls=Command)
def build(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", show_default=False)],
    out: OutOption,
    column: SmilesColumnOption = None,
    name_column: NameColumnOption = None,
    keep_columns: KeepColumnsOption = "",
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    min_heavy_atoms: MinAtomsOption = None,
    max_heavy_atoms: MaxAtomsOption = None,
    elements: ElementsOption = None,
    exclude: ExcludeOption = None,
    fragments: FragmentsOption = "refuse",
    same_as: SameAsOption = "smiles",
    conditions: ConditionsOption = None,
    assignments: SetConditionOption = None,
    radius: RadiusOption = 4,
    bits: BitsOption = 256,
    processes: ProcessesOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Build a library from files of molecules: .smi, .csv, .tsv, .cxsmiles, .sdf, .parquet, ...

    A line says how each is read. Molecules are validated, deduplicated and featurized. Bad and
    filtered lines are listed in rejects.csv, repeated molecules in duplicates.csv. The same command
    goes on with a build that was interrupted.
    """
    from molloop import api
    from molloop.api import libraries
    from molloop.library.reading.options import Reading
    from molloop.report.terminal import library_summary

    stated = _stated(conditions, assignments, min_heavy_atoms, max_heavy_atoms, elements, exclude)
    spec = _spec(stated, radius, bits, fragments, same_as)
    reading = Reading.of(column, name_column, keep_columns, separator, no_header)
    if not is_quiet:
        say(*libraries.understood(files, reading), is_error=True)
    with progress_display(is_quiet) as display:
        built = api.build_library(
            files,
            out,
            reading.column,
            spec,
            processes,
            display.show_library,
            name_column=reading.name_column,
            keep_columns=reading.keep_columns,
            separator=reading.separator,
            no_header=reading.no_header,
        )
    Console().print(library_summary(built))


@app.command("enumerate", cls=Command)
def enumerate_products(
    scaffolds: Annotated[str, typer.Argument(metavar="SCAFFOLDS", show_default=False)],
    substituents: Annotated[str, typer.Argument(metavar="SUBSTITUENTS", show_default=False)],
    out: OutOption,
    max_molecules: Annotated[
        int | None,
        typer.Option(
            min=1, help="Take so many of the products, spread over all.", show_default="all"
        ),
    ] = None,
    column: SmilesColumnOption = None,
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    min_heavy_atoms: MinAtomsOption = None,
    max_heavy_atoms: MaxAtomsOption = None,
    elements: ElementsOption = None,
    exclude: ExcludeOption = None,
    fragments: FragmentsOption = "refuse",
    same_as: SameAsOption = "smiles",
    conditions: ConditionsOption = None,
    assignments: SetConditionOption = None,
    radius: RadiusOption = 4,
    bits: BitsOption = 256,
    processes: ProcessesOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Build a library of all scaffolds with all substituents at every attachment point.

    Scaffolds are SMILES with attachment points, such as c1ccc([*:1])cc1 or C(*)(*)C=O;
    substituents have one, such as *C(F)(F)F, or *[H] for none.
    """
    from molloop import api
    from molloop.api import libraries
    from molloop.library.reading.options import Reading
    from molloop.report.terminal import library_summary

    stated = _stated(conditions, assignments, min_heavy_atoms, max_heavy_atoms, elements, exclude)
    spec = _spec(stated, radius, bits, fragments, same_as)
    reading = Reading.of(column, separator=separator, no_header=no_header)
    if not is_quiet:
        say(*libraries.understood([scaffolds, substituents], reading), is_error=True)
    with progress_display(is_quiet) as display:
        built = api.enumerate_library(
            scaffolds,
            substituents,
            out,
            max_molecules,
            reading.column,
            spec,
            processes,
            display.show_library,
            separator=reading.separator,
            no_header=reading.no_header,
        )
    Console().print(library_summary(built))


@app.command(cls=Command)
def info(
    library: LibraryArgument,
    column: SmilesColumnOption = None,
    name_column: NameColumnOption = None,
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    conditions: ConditionsOption = None,
    assignments: SetConditionOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Say what a library is made of, and how many of its molecules meet conditions.

    That of a file is built into the cache, as a run does, with options that say how it is read.
    """
    from molloop.assembly.conditions import conditions_of, select_by
    from molloop.library.conditions import each_of
    from molloop.library.reading.options import Reading
    from molloop.report.terminal import library_summary

    stated = conditions_of(stated_conditions(conditions, assignments))
    reading = Reading.of(column, name_column, separator=separator, no_header=no_header)
    opened = _open(library, is_quiet, reading)
    Console().print(library_summary(opened))
    if each_of(stated):
        with progress_display(is_quiet) as display:
            found = select_by(stated, opened, display.show_library)
        say(found.words)


@app.command(cls=Command)
def verify(library: LibraryArgument, is_quiet: QuietOption = False) -> None:
    """Compare every shard of a library with its checksum."""
    from molloop.library.reading.options import Reading
    from molloop.limits import available_cores

    if Path(library).is_file():
        remedy = "Build one of the file: molloop library build FILE --out FOLDER."
        raise InputError("library", library, "a library's folder, or qm9", remedy)
    opened = _open(library, is_quiet, Reading())
    with progress_display(is_quiet) as display:
        opened.verify(available_cores(), display.show_library)
    n, shown = len(opened.shards), terminal_path(opened.folder)
    say(f"The shard of {shown} is whole." if n == 1 else f"All {n:,} shards of {shown} are whole.")


def _open(library: str, is_quiet: bool, reading: "Reading") -> "Library":
    from molloop import api
    from molloop.api import libraries
    from molloop.config.load import load
    from molloop.library.choices import BUILT_IN
    from molloop.library.ingest import check_unread, library_folder
    from molloop.library.shards import Library

    folder = None if library in BUILT_IN else library_folder(library)
    if folder is not None or library in BUILT_IN:
        check_unread(library, reading)
    if folder is not None:
        return Library(folder)
    told = libraries.how_read(library, reading)
    if not is_quiet:
        say(*told, is_error=True)
    how = {
        "column": reading.column,
        "name_column": reading.name_column,
        "separator": reading.separator,
        "no_header": reading.no_header,
    }
    settings = load(library={"source": library, **how})
    with progress_display(is_quiet) as display:
        return api.open_library(settings, display.show_library)


def _stated(
    path: Path | None,
    assignments: list[str] | None,
    min_heavy_atoms: int | None,
    max_heavy_atoms: int | None,
    elements: str | None,
    exclude: list[str] | None,
) -> "Conditions":
    from molloop.assembly.conditions import conditions_of

    given = {
        "conditions.min_heavy_atoms": min_heavy_atoms,
        "conditions.max_heavy_atoms": max_heavy_atoms,
        "conditions.elements": None if elements is None else elements.replace(",", " ").split(),
        "conditions.excluded_smarts": exclude,
    }
    return conditions_of(stated_conditions(path, assignments, given))


def _spec(
    conditions: "Conditions", radius: int, bits: int, fragments: str, same_as: str
) -> "BuildSpec":
    from molloop.library.features import MorganSpec
    from molloop.library.manifest import BuildSpec

    return BuildSpec(MorganSpec(radius, bits), conditions, fragments, same_as)

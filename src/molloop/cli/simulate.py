"""`molloop simulate`."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from molloop.cli.options import (
    FidelityOption,
    KeepColumnsOption,
    LevelOption,
    MultiplicityOption,
    NameColumnOption,
    NoHeaderOption,
    QuantityOption,
    QuietOption,
    SeparatorOption,
    SetOption,
    SmilesColumnOption,
    SolventOption,
    progress_display,
)
from molloop.cli.screen import say
from molloop.errors import not_written
from molloop.library.reading.options import Reading
from molloop.molecule import label
from molloop.texts import json_line, terminal_text

if TYPE_CHECKING:
    from molloop.api.molecules import Entry
    from molloop.config.settings import Settings
    from molloop.goal import Quantity
    from molloop.simulate.outcome import Outcome
    from molloop.simulate.protocol import SimulationProtocol


def simulate(
    molecules: Annotated[
        list[str],
        typer.Argument(
            metavar="SMILES|FILE...",
            help="A SMILES or InChI each, or files of molecules as of `molloop library build`.",
            show_default=False,
        ),
    ],
    path: Annotated[
        Path | None, typer.Option("--config", metavar="CONFIG.toml", help="How to simulate.")
    ] = None,
    column: SmilesColumnOption = None,
    name_column: NameColumnOption = None,
    keep_columns: KeepColumnsOption = "",
    separator: SeparatorOption = None,
    no_header: NoHeaderOption = False,
    level: LevelOption = None,
    fidelity: FidelityOption = None,
    quantity_name: QuantityOption = None,
    solvent: SolventOption = None,
    multiplicity: MultiplicityOption = None,
    has_details: Annotated[
        bool, typer.Option("--details", help="Show the calculations of each molecule, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="Write the geometries to a .xyz or .sdf file.")
    ] = None,
    assignments: SetOption = None,
    is_quiet: QuietOption = False,
) -> None:
    """Compute a quantity of single molecules: the vertical ionization energy, or by --name."""
    from molloop.api.molecules import entries_of
    from molloop.config.load import load
    from molloop.report.structures import save_format
    from molloop.simulate.outcome import Success

    overrides: dict[str, object] = {
        "property.name": quantity_name,
        "simulation.level": level,
        "simulation.fidelity": fidelity,
        "simulation.solvent": solvent,
        "simulation.multiplicity": multiplicity,
    }
    settings = load(path, assignments or [], overrides)
    file_format = "" if save is None else save_format(save)
    quantity, protocol = settings.objective().quantity, settings.protocol()
    reading = Reading.of(column, name_column, keep_columns, separator, no_header)
    tell = None if is_quiet else partial(say, is_error=True)
    entries = list(entries_of(molecules, reading, tell))
    outcomes: list[Outcome] = []
    n = len(entries)
    # where its lines are seen as they come, they are the progress
    with progress_display(is_quiet or (as_json and sys.stdout.isatty())) as display:
        display.show("simulating", 0, f"0/{n:,}")
        for entry, outcome in zip(entries, _outcomes(entries, settings), strict=True):
            outcomes.append(outcome)
            if as_json:
                record = _record(outcome, quantity, protocol)
                say(json_line(record | ({"kept": kept} if (kept := entry.molecule.kept) else {})))
            display.show("simulating", len(outcomes) / n, f"{len(outcomes):,}/{n:,}")
    if not as_json:
        from molloop.report.terminal import calculation_lines, outcome_table

        Console().print(outcome_table(outcomes, protocol, quantity))
        for outcome in outcomes if has_details else ():
            if isinstance(outcome, Success):
                whose = label(outcome.smiles, outcome.name)
                say(*map(terminal_text, (whose, *calculation_lines(outcome))))
    if save is not None:
        _save(save, file_format, entries, outcomes, quantity, protocol)
    if not all(isinstance(one, Success) for one in outcomes):
        raise typer.Exit(1)


def _outcomes(entries: "Sequence[Entry]", settings: "Settings") -> "Iterator[Outcome]":
    """Simulate one after the other; each outcome says SMILES and name."""
    from molloop import api
    from molloop.simulate.outcome import Failure

    simulated = api.simulate_molecules((one.molecule for one in entries if not one.fault), settings)
    for one in entries:
        outcome = Failure("invalid_line", one.fault) if one.fault else next(iter(simulated))
        if isinstance(outcome, Failure) and one.where:
            outcome = replace(outcome, message=f"{one.where}: {outcome.message}")
        yield replace(outcome, smiles=one.molecule.smiles, name=one.molecule.name)


def _save(
    path: Path,
    file_format: str,
    entries: "Sequence[Entry]",
    outcomes: "Sequence[Outcome]",
    quantity: "Quantity",
    protocol: "SimulationProtocol",
) -> None:
    from molloop.report.structures import can_hold, structure_of, write_structures
    from molloop.simulate.outcome import Success
    from molloop.simulate.versions import told, versions

    values = [
        structure_of(
            *(replace(entry.molecule, id=number), one, quantity, protocol, entry.molecule.kept),
            told([versions(protocol.packages)]),
        )
        for number, (entry, one) in enumerate(zip(entries, outcomes, strict=True))
        if isinstance(one, Success)
    ]
    found = [one for one in values if can_hold(file_format, one)]
    try:
        write_structures(path, file_format, found)
    except OSError as error:
        raise not_written("--save", path, error) from error
    if n_drawn := sum(one.geometry is None for one in found):
        say(f"{n_drawn:,} without a geometry, drawn in 2D", is_error=True)
    if n_left_out := len(values) - len(found):
        say(f"{n_left_out:,} without a geometry, left out: .sdf has drawings", is_error=True)


def _record(
    outcome: "Outcome", quantity: "Quantity", protocol: "SimulationProtocol"
) -> dict[str, Any]:
    """Return what a JSON line says of a molecule."""
    from molloop.simulate.outcome import Failure
    from molloop.simulate.versions import versions

    if isinstance(outcome, Failure):
        failure = {"kind": outcome.kind, "message": outcome.message}
        result: dict[str, Any] = {"failure": failure}
    else:
        others = dict(outcome.named)
        known = {
            one.column: others.pop(one.name)
            for one in (quantity, *protocol.further)
            if one.name in others
        }
        result = {
            **known,
            "values": others,
            "calculations": {name: asdict(one) for name, one in outcome.calculations.items()},
            "flags": list(outcome.flags),
        }
    made_by = {"level": protocol.outcome_level, "fidelity": protocol.outcome_fidelity}
    said = {"smiles": outcome.smiles, "name": outcome.name}
    by = versions(protocol.packages)
    return said | result | made_by | {"versions": by, "seconds": outcome.seconds}

"""`molloop export`."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR")],
    out: Annotated[Path, typer.Option(help="File to write; one that is there is replaced.")],
    file_format: Annotated[
        str, typer.Option("--format", help="csv, parquet, sdf, extxyz or ase-db.")
    ],
) -> None:
    """Write a run's values and relaxed geometries for other programs; also while it goes on."""
    from molloop import api
    from molloop.report.export import export as write

    n = write(api.read_results(run_dir), file_format, out)
    typer.echo(f"{n:,} molecules: {out}")

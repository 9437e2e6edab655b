"""What is there where the disk takes no more."""

from pathlib import Path


def what_is_there(database: Path) -> str:
    """Return what is stored of a run whose folder cannot be written, and what to do."""
    check = "Check that the disk has space and that you may write there"
    if database.exists():
        return (
            f"What the run has stored is safe. {check}; `molloop resume {database.parent}` goes on."
        )
    return f"No run has begun there, so nothing is lost. {check}; then begin it again."

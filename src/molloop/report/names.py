"""Names of libraries as people read them."""

from pathlib import Path


def short_name(name: str) -> str:
    """Return a library's name without the folders of its files."""
    return ", ".join(Path(one).name for one in name.split(", "))

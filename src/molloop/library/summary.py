"""What a library is made of, in words."""

from typing import TYPE_CHECKING

from molloop.library.conditions import each_of
from molloop.library.manifest import REJECTS

if TYPE_CHECKING:
    from molloop.library.shards import Library


def summary_rows(library: "Library") -> dict[str, str]:
    """Return a name and words for each fact.

    Raises
    ------
    RunError
        A shard is missing.
    """
    manifest = library.manifest
    counts, filters, morgan = manifest.counts, manifest.spec.filters, manifest.spec.morgan
    rows = {
        "molecules": f"{manifest.n_molecules:,}",
        "lines read": f"{counts.read:,}",
        "  no valid molecule": f"{counts.invalid:,}",
        "  filtered out": f"{counts.filtered:,}",
        "  repeated": f"{counts.duplicates:,}",
        "source": ", ".join(one.file for one in manifest.sources),
        "conditions": "; ".join(one.words for one in each_of(filters)) or "none",
        "fingerprints": f"Morgan, radius {morgan.radius}, {morgan.n_bits} bits",
        "descriptors": f"{len(manifest.descriptors)} of RDKit",
        "shards": f"{len(library.shards):,}",
        "bytes a molecule": f"{library.n_bytes() / manifest.n_molecules:.0f}",
        "made with": f"molloop {manifest.molloop_version}, RDKit {manifest.rdkit_version}",
        "folder": str(library.folder),
    }
    if counts.invalid + counts.filtered:
        rows["rejected lines"] = str(library.folder / REJECTS)
    return rows

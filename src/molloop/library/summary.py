"""What a library is made of, in words."""

from typing import TYPE_CHECKING

from rdkit import Chem

from molloop.library.choices import FRAGMENTS, SAME_AS
from molloop.library.composition import Composition
from molloop.library.conditions import each_of
from molloop.library.descriptors import MOLLOOPS, RDKITS
from molloop.library.manifest import DUPLICATES, REJECTS, Manifest
from molloop.library.rejected import rejected_by_reason

if TYPE_CHECKING:
    from molloop.library.shards import Library

N_EXAMPLES = 3
MOST_ELEMENTS = 12


def summary_rows(
    library: "Library", found: Composition, last_element: int | None = None
) -> dict[str, str]:
    """Return a name and words for each fact; `last_element` as of :meth:`Library.summary`."""
    manifest = library.manifest
    n_bytes = library.n_bytes()
    return {
        "molecules": f"{manifest.n_molecules:,}",
        **_lines(library),
        "examples": "; ".join(
            _example(library, key) for key in range(min(N_EXAMPLES, manifest.n_molecules))
        ),
        **_contents(found),
        **_cautions(found, last_element),
        **_built(manifest),
        "shards": f"{len(library.shards):,}",
        "bytes a molecule": f"{n_bytes / manifest.n_molecules:.0f}",
        "made with": f"molloop {manifest.molloop_version}, RDKit {manifest.rdkit_version}",
        "folder": str(library.folder),
    }


def _lines(library: "Library") -> dict[str, str]:
    """Return what became of the lines of the source."""
    counts = library.manifest.counts
    rows = {
        "lines read": f"{counts.read:,}",
        "  no valid molecule": f"{counts.invalid:,}",
        "  filtered out": f"{counts.filtered:,}",
        "  repeated": f"{counts.duplicates:,}",
    }
    if counts.altered:
        rows["  altered"] = f"{counts.altered:,}: without their small pieces or charges"
    if counts.lost_geometries:
        rows["  geometry lost"] = (
            f"{counts.lost_geometries:,}: not all hydrogens have coordinates, or it was altered"
        )
    if counts.invalid + counts.filtered:
        rejects = library.folder / REJECTS
        rows["rejected lines"] = str(rejects)
        for number, one in enumerate(rejected_by_reason(rejects), start=1):
            rows[f"  reason {number}"] = f"{one.words} ({'; '.join(one.first)})"
    if counts.duplicates and (duplicates := library.folder / DUPLICATES).is_file():
        rows["repeated lines"] = str(duplicates)
    return rows


def _example(library: "Library", molecule_id: int) -> str:
    name = library.name(molecule_id)
    return f"{library.smiles(molecule_id)} ({name})" if name else library.smiles(molecule_id)


def _contents(found: Composition) -> dict[str, str]:
    """Return what the molecules are."""
    sizes = sorted(found.heavy_atoms)
    rows = {"heavy atoms": f"{sizes[0]} to {sizes[-1]}, median {found.median_heavy_atoms()}"}
    if found.elements:
        most = found.elements.most_common(MOST_ELEMENTS)
        shown = ", ".join(f"{_symbol(number)} in {n:,}" for number, n in most)
        n_more = len(found.elements) - len(most)
        rows["elements"] = f"{shown}, and {n_more} more" if n_more else shown
    if found.charges:
        rows["charges"] = ", ".join(
            f"{_signed(charge)} in {n:,}" for charge, n in sorted(found.charges.items())
        )
    if found.n_geometries:
        rows["with a geometry"] = f"{found.n_geometries:,}"
    return rows


def _cautions(found: Composition, last_element: int | None) -> dict[str, str]:
    """Return what a user should know before values are compared."""
    rows = {}
    if len(found.charges) > 1:
        rows["mixed charges"] = (
            "values of molecules of different charge do not compare: the ionization energy of a "
            "cation is a second one. To search one charge alone: [conditions] charge = 0"
        )
    if found.n_in_pieces:
        rows["in several pieces"] = (
            f"{found.n_in_pieces:,}: simulations refuse them; --fragments largest or neutralise "
            "takes their largest piece"
        )
    unknown = [number for number in sorted(found.elements) if number > (last_element or number)]
    if unknown:
        shown = ", ".join(f"{_symbol(number)} in {found.elements[number]:,}" for number in unknown)
        rows["unknown to simulations"] = f"{shown}: refused by every level"
    if found.n_open_stereo:
        rows["stereo not given"] = (
            f"{found.n_open_stereo:,}: each gets the value of one of its isomers"
        )
    return rows


def _built(manifest: Manifest) -> dict[str, str]:
    """Return how the library was built."""
    spec, filters, morgan = manifest.spec, manifest.spec.filters, manifest.spec.morgan
    return {
        "source": ", ".join(one.file for one in manifest.sources),
        **_read_as(manifest),
        "conditions": "; ".join(one.words for one in each_of(filters)) or "none",
        "salts": f"{spec.fragments}: {FRAGMENTS[spec.fragments]}",
        "the same": f"{spec.same_as}: {SAME_AS[spec.same_as]}",
        **({"kept columns": ", ".join(manifest.kept)} if manifest.kept else {}),
        "fingerprints": f"Morgan, radius {morgan.radius}, {morgan.n_bits} bits",
        "descriptors": f"{len(RDKITS)} of RDKit, {len(MOLLOOPS)} of molloop's own",
    }


def _read_as(manifest: Manifest) -> dict[str, str]:
    """Return how the files were understood; of several that were understood alike, the first."""
    firsts: dict[str, str] = {}
    for words, one in zip(manifest.read_as, manifest.sources, strict=False):
        firsts.setdefault(words, one.file)
    if len(firsts) == 1:
        return {"  read as": next(iter(firsts))}
    return {
        f"  read as {number}": f"{words} ({file})"
        for number, (words, file) in enumerate(firsts.items(), start=1)
    }


def _symbol(number: int) -> str:
    return str(Chem.GetPeriodicTable().GetElementSymbol(number))


def _signed(charge: int) -> str:
    return f"{charge:+}" if charge else "0"

"""What a library is made of: manifest.json."""

import json
from dataclasses import asdict, astuple, dataclass, field
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from molloop.errors import InputError, RunError
from molloop.library.choices import FRAGMENTS, SAME_AS
from molloop.library.conditions import Conditions
from molloop.library.descriptors import DESCRIPTORS, VERSION
from molloop.library.features import MorganSpec, Scaling, cuts

MANIFEST = "manifest.json"
REJECTS = "rejects.csv"  # beside it: lines that hold no molecule, or one that is left out
DUPLICATES = "duplicates.csv"  # and those that hold one which an earlier line holds
CONDITIONS = "conditions"  # folders beside it: what conditions have found
FEATURES_FOLDER = "features"  # and features that are no columns of shards
SCHEMA_VERSION = 4
MAX_BITS = 16384
MAX_RADIUS = 16


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """How a library is built from its source.

    Attributes
    ----------
    fragments
        What becomes of molecules in several pieces: a key of
        ``molloop.library.choices.FRAGMENTS``.
    same_as
        Which molecules are the same: a key of ``molloop.library.choices.SAME_AS``.
    """

    morgan: MorganSpec = field(default_factory=MorganSpec)
    filters: Conditions = field(default_factory=Conditions)
    fragments: str = "refuse"
    same_as: str = "smiles"

    def check(self) -> None:
        """Raise InputError where something in it makes no sense."""
        radius, n_bits = self.morgan.radius, self.morgan.n_bits
        if not 64 <= n_bits <= MAX_BITS or n_bits % 64:
            expected = f"a multiple of 64 up to {MAX_BITS}"
            raise InputError("bits of the fingerprints", n_bits, expected, "Try 256.")
        if not 0 <= radius <= MAX_RADIUS:
            expected = f"0 to {MAX_RADIUS} bonds"
            raise InputError("radius of the fingerprints", radius, expected, "Try 4.")
        for what, value, names in (
            ("fragments", self.fragments, FRAGMENTS),
            ("same_as", self.same_as, SAME_AS),
        ):
            if value not in names:
                raise InputError(what, value, f"one of {', '.join(names)}", "Name one of them.")
        self.filters.check()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a library was built from."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines of the source.

    Attributes
    ----------
    read
        All.
    invalid, filtered, duplicates
        Left out: without a valid molecule, filtered out, repeating another.
    altered
        Whose molecule lost a piece or a charge.
    lost_geometries
        With coordinates in space that could not be kept.
    """

    read: int = 0
    invalid: int = 0
    filtered: int = 0
    duplicates: int = 0
    altered: int = 0
    lost_geometries: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*map(add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """A shard: its file, rows, and the checksum of the file."""

    file: str
    n_molecules: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DescriptorStatistics:
    """Of one descriptor over the library."""

    name: str
    mean: float
    std: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a library is made of.

    Attributes
    ----------
    key
        Checksum of all that the content depends on.
    name
        What the user calls it.
    options
        What else than the files decides on the source's lines.
    n_molecules
        In all shards.
    kept
        Names of the columns of the user's files that are kept.
    read_as
        How each file was understood, in words.
    descriptors_version
        That of molloop's own descriptors.
    """

    schema_version: int
    key: str
    name: str
    molloop_version: str
    rdkit_version: str
    sources: tuple[SourceFile, ...]
    options: dict[str, int | str | None]
    spec: BuildSpec
    counts: Counts
    n_molecules: int
    descriptors: tuple[DescriptorStatistics, ...]
    shards: tuple[ShardEntry, ...]
    kept: tuple[str, ...]
    read_as: tuple[str, ...]
    descriptors_version: int

    def scaling(self) -> Scaling:
        """Return what standardises the library's descriptors."""
        return Scaling(
            np.array([one.mean for one in self.descriptors]),
            np.array([one.std for one in self.descriptors]),
            cuts([one.name for one in self.descriptors]),
        )

    def to_json(self) -> str:
        """Return the text of manifest.json."""
        return json.dumps(asdict(self), indent=1)


_READER = TypeAdapter(Manifest)


def read_manifest(folder: Path) -> Manifest:
    """Read that of a library.

    Raises
    ------
    InputError
        The folder holds none, or one of a version that this one cannot read.
    RunError
        It cannot be read, or is damaged.
    """
    path = folder / MANIFEST
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(facts, dict):
            _check_version(folder, facts)
        manifest = _READER.validate_python(facts)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            "library",
            str(folder),
            "a folder that holds a built library",
            f"There is no {MANIFEST} in it: `molloop library build` makes one.",
        ) from error
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error}).", "Is it yours?") from error
    except ValueError as error:
        raise damaged(path, str(error)) from error
    names = tuple(one.name for one in manifest.descriptors)
    if (names, manifest.descriptors_version) != (DESCRIPTORS, VERSION):
        expected = f"a library with the {len(DESCRIPTORS)} descriptors of this molloop and RDKit"
        raise InputError("library", str(folder), expected, _build_again(asdict(manifest)))
    return manifest


def _check_version(folder: Path, facts: dict[str, Any]) -> None:
    """Raise InputError where a manifest says that its library is of a version not known here."""
    version = facts.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        expected = f"a library of version {SCHEMA_VERSION} (its manifest says {version!r})"
        raise InputError("library", str(folder), expected, _build_again(facts))


def _build_again(facts: dict[str, Any]) -> str:
    options = facts.get("options")
    is_enumerated = isinstance(options, dict) and "max_molecules" in options
    source = "enumerate SCAFFOLDS SUBSTITUENTS" if is_enumerated else "build FILE..."
    return (
        f"Build it anew from {facts.get('name', 'its source')}: "
        f"`molloop library {source} --out DIR`."
    )


def damaged(path: Path, why: str) -> RunError:
    """Return the error that names a file of a library."""
    return RunError(
        f"{path} is damaged ({why}).", "Build the library again: remove its folder first."
    )

"""What a library is made of: manifest.json."""

import json
from dataclasses import asdict, dataclass, field

import numpy as np
from pydantic import TypeAdapter

from molloop.errors import InputError
from molloop.library.features import DESCRIPTORS, MorganSpec, Scaling
from molloop.library.filters import Filters

MANIFEST = "manifest.json"
REJECTS = "rejects.csv"  # beside it: lines that hold no molecule, or a filtered one
SCHEMA_VERSION = 2
MAX_BITS = 16384
MAX_RADIUS = 16


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """How a library is built from its source."""

    morgan: MorganSpec = field(default_factory=MorganSpec)
    filters: Filters = field(default_factory=Filters)

    def check(self) -> None:
        """Raise InputError where something in it makes no sense."""
        radius, n_bits = self.morgan.radius, self.morgan.n_bits
        if not 64 <= n_bits <= MAX_BITS or n_bits % 64:
            expected = f"a multiple of 64 up to {MAX_BITS}"
            raise InputError("bits of the fingerprints", n_bits, expected, "Try 256.")
        if not 0 <= radius <= MAX_RADIUS:
            expected = f"0 to {MAX_RADIUS} bonds"
            raise InputError("radius of the fingerprints", radius, expected, "Try 4.")
        self.filters.check()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a library was built from."""

    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines of the source: read, without a valid molecule, filtered out, repeating another."""

    read: int = 0
    invalid: int = 0
    filtered: int = 0
    duplicates: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.read + other.read,
            self.invalid + other.invalid,
            self.filtered + other.filtered,
            self.duplicates + other.duplicates,
        )


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


class OtherVersionError(ValueError):
    """A manifest that another version wrote; the message says what was expected."""


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

    def scaling(self) -> Scaling:
        """Return what standardises the library's descriptors."""
        return Scaling(
            np.array([one.mean for one in self.descriptors]),
            np.array([one.std for one in self.descriptors]),
        )

    def to_json(self) -> str:
        """Return the text of manifest.json."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read it back.

        Raises
        ------
        OtherVersionError
            Another version of molloop or RDKit wrote it.
        ValueError
            The text is no manifest.
        """
        facts = json.loads(text)
        if (
            isinstance(facts, dict)
            and facts.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION
        ):
            raise OtherVersionError(f"schema version {SCHEMA_VERSION}")
        manifest = _READER.validate_python(facts)
        if tuple(one.name for one in manifest.descriptors) != DESCRIPTORS:
            raise OtherVersionError(f"this version's {len(DESCRIPTORS)} descriptors")
        return manifest


_READER = TypeAdapter(Manifest)

"""Which molecules of a library to try next, for values that come from elsewhere."""

import csv
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from io import StringIO
from math import floor, isnan, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem

from molloop.assembly.measured import PENDING, TRAINING_DATA, Measured
from molloop.campaign.jobs import Known
from molloop.campaign.warm_start import described, features_of, identified, known_values
from molloop.errors import InputError
from molloop.goal import Goal
from molloop.library.selection import Selection, bits_of, shards_of
from molloop.library.shard import ShardRef
from molloop.library.shards import Library
from molloop.search.diversity import FINGERPRINTS
from molloop.search.policy import Policy
from molloop.search.rank import RankTask, rank
from molloop.search.training import Training
from molloop.surrogate.model import Features, Floats
from molloop.texts import counted, csv_cell, sheet_cell

if TYPE_CHECKING:
    import pandas as pd

LEAST_VALUES = 2
DIGITS_OF_STD = 4


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A molecule to try, and what a model expects of it.

    Attributes
    ----------
    molecule_id
        Its row in the library.
    mean, std
        Expected value and standard deviation, in the unit of the values.
    name
        What the library's file calls it; empty where it says nothing.
    further
        Mean and standard deviation of each further quantity of a goal.
    """

    molecule_id: int
    smiles: str
    mean: float
    std: float
    name: str = ""
    further: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to try next.

    Attributes
    ----------
    column
        What the values are called.
    molecules
        The first one first: each was chosen in the light of those before it.
    n_values, n_without, n_pending
        Molecules with a value, those that were tried and gave none, and those that are pending.
    n_outside
        How many of those with a value the library does not hold.
    conditions
        How many molecules meet the conditions, in words; empty where there are none.
    charges
        That charges differ, in words; empty where they do not, or the values are no IEs.
    goal
        What is searched for, where it is more than one quantity.
    """

    column: str
    molecules: tuple[Suggestion, ...]
    n_values: int
    n_outside: int
    n_without: int
    n_pending: int
    conditions: str = ""
    charges: str = ""
    goal: Goal | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns: what is expected is not named as a value is."""
        names = ["molecule_id", "smiles", "name"]
        for column, is_known in self._columns:
            mean = f"predicted_{column}"
            names += [column] if is_known else [mean, f"{mean}_std"]
        return tuple(names)

    @property
    def _columns(self) -> list[tuple[str, bool]]:
        """Return what each quantity is called, and whether the library knows it."""
        quantities = () if self.goal is None else self.goal.quantities[1:]
        return [(self.column, False), *((one.column, bool(one.descriptor)) for one in quantities)]

    def _numbers(self, one: Suggestion) -> list[tuple[float, float | None]]:
        """Return the numbers of a molecule, each with its standard deviation; None: it is known."""
        found: list[tuple[float, float | None]] = []
        pairs = (one.mean, one.std), *one.further
        for (_, is_known), (mean, std) in zip(self._columns, pairs, strict=True):
            found += [(mean, None)] if is_known else [(mean, std), (std, std)]
        return found

    def frame(self) -> "pd.DataFrame":
        """Return a row a molecule: `smiles`, `name`; for ``ie_ev`` `predicted_ie_ev`, and `_std`.

        It is indexed by the molecule's id.
        """
        import pandas as pd

        rows = [
            (one.molecule_id, one.smiles, one.name, *(number for number, _ in self._numbers(one)))
            for one in self.molecules
        ]
        return pd.DataFrame(rows, columns=list(self.header)).set_index("molecule_id")

    def to_csv(self) -> str:
        """Return the same as CSV, numbers to four digits of the standard deviation."""
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(map(csv_cell, self.header))
        for one in self.molecules:
            numbers = (_shown(number, std) for number, std in self._numbers(one))
            texts = csv_cell(one.smiles), sheet_cell(one.name)
            writer.writerow((one.molecule_id, *texts, *numbers))
        return text.getvalue()


def suggestions(
    library: Library,
    measured: Measured,
    pending: Iterable[tuple[str, str]],
    n: int,
    *,
    goal: Goal,
    policy: Policy,
    seed: int,
    selection: Selection | None = None,
    charges: str = "",
) -> Suggestions:
    """Rank a library as the first ranking of a run does that begins with these values.

    Parameters
    ----------
    pending
        Where each molecule stands, and its SMILES. Their values are believed to turn out as
        predicted; one that has a value is pending no more.
    goal
        What is searched for; the values are of its computed quantities.
    selection
        Which molecules may be suggested; None: all.
    charges
        What is to be said of theirs.

    Raises
    ------
    InputError
        A SMILES cannot be read, a molecule has two values, fewer than two have one, or no molecule
        of the library is left.
    """
    known = known_values(measured.values, measured.column, library)
    if len(known.known) < LEAST_VALUES:
        raise InputError(
            TRAINING_DATA,
            f"{counted(len(known.known), 'molecule')} with a value of {measured.column}",
            f"{LEAST_VALUES} at least",
            "A model learns from differences: measure some molecules of the library at random.",
        )
    with_value = {identified(where, smiles, library)[0] for where, smiles, _ in measured.values}
    without = dict(identified(*one, library) for one in measured.without)
    without = {key: molecule for key, molecule in without.items() if key not in with_value}
    waiting = dict(identified(*one, library) for one in pending)
    waiting = {key: molecule for key, molecule in waiting.items() if key not in with_value}
    ids = [one.molecule_id for one in known.known if one.molecule_id is not None]
    in_library = library.find({*without, *waiting})

    def features(molecules: Mapping[int, Chem.Mol], kind: str = policy.features) -> Features:
        ids = list(map(in_library.get, molecules))
        return features_of(list(molecules.values()), ids, library)[kind]

    tried = {*ids, *in_library.values()}
    chosen_from = selection or Selection.of_all(library)
    if not _left(chosen_from, tried):
        which = " that meet the conditions" if chosen_from.path else ""
        n_left = chosen_from.n_left
        all_of = "the only molecule" if n_left == 1 else f"all {n_left:,} molecules"
        raise InputError(
            f"{TRAINING_DATA}, {PENDING}",
            f"{all_of} of the library{which}",
            "some that were not tried",
            "Name another library" + (", or loosen a condition." if which else "."),
        )
    values = _signed(known.known, measured, goal, library)
    firsts = values if goal.is_plain else values[:, 0]
    may_win = np.array([one.smiles not in measured.doubtful for one in known.known])
    training = Training(
        features=known.features[policy.features],
        values=values,
        order=np.arange(len(known.known)),
        tried=np.array(sorted(tried), dtype=np.int64),
        pending=features(waiting),
        failed=features(without),
        pending_fingerprints=features(waiting, FINGERPRINTS),
        scaling=library.scalings[policy.features],
        best=float(firsts[may_win].max() if may_win.any() else firsts.min()),
    )
    shards = shards_of(library, chosen_from)
    return Suggestions(
        measured.column,
        tuple(
            Suggestion(key, library.smiles(key), mean, std, library.name(key), tuple(further))
            for key, (mean, std), *further in _ranked(shards, training, policy, n, seed, goal)
        ),
        n_values=len(known.known),
        n_outside=len(known.known) - len(ids),
        n_without=len(without),
        n_pending=len(waiting),
        conditions=chosen_from.words if selection else "",
        charges=charges,
        goal=goal.wider,
    )


def _signed(known: Sequence[Known], measured: Measured, goal: Goal, library: Library) -> Floats:
    """Return values times their signs, shape (n,); of a goal's quantities (n, q), NaN without."""
    if goal.is_plain:
        return goal.objective.sign * np.array([one.value for one in known])
    names, rows = [one.name for one in goal.computed[1:]], []
    for one in known:
        numbers = zip(names, measured.further.get(one.smiles, ()), strict=False)
        further = {name: number for name, number in numbers if not isnan(number)}
        rows.append(described(replace(one, further=further), goal, library).values(goal))
    return np.array(rows, dtype=np.float64) * goal.signs  # None becomes NaN


def _left(selection: Selection, tried: Set[int]) -> int:
    """Return how many molecules of a selection were not tried."""
    bits = bits_of(selection)
    ids = np.array(sorted(tried), dtype=np.int64)
    return selection.n_left - (len(ids) if bits is None else int(bits.at(ids).sum()))


def _ranked(
    shards: Sequence[ShardRef],
    training: Training,
    policy: Policy,
    n: int,
    seed: int,
    goal: Goal,
) -> Iterator[tuple[Any, ...]]:
    """Return the chosen molecules: id, then mean and standard deviation of each quantity."""
    from threadpoolctl import threadpool_limits

    # one thread, as on a worker: the same numbers, and none waits for cores that others use
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        task = RankTask(Path(folder), policy, n, (seed, 1), goal.wider)
        training.write(task.training)
        chosen = rank(task, shards)
    signs = [goal.objective.sign] if goal.is_plain else goal.signs
    means = chosen.means.reshape(-1, len(signs)) * signs
    stds = chosen.stds.reshape(-1, len(signs))
    for key, some, others in zip(chosen.ids.tolist(), means.tolist(), stds.tolist(), strict=True):
        yield key, *zip(some, others, strict=True)


def _shown(number: float, std: float | None) -> str:
    """Return a number to four digits of its standard deviation; without one, in full.

    What the library knows has the seven digits of its single precision.
    """
    if std is None:
        return f"{number:.7g}"
    if not std > 0:
        return repr(number)
    decimals = DIGITS_OF_STD - 1 - floor(log10(std))
    return f"{number:.{max(decimals, 0)}f}"

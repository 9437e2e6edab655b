import json
import re
from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molloop.molecule import Geometry
from molloop.simulate.outcome import Calculation, Failure, Success
from molloop.simulate.rules import OutcomeError, storable
from molloop.simulate.validation import accepted, checked

WATER = Geometry(np.array([8, 1, 1]), np.arange(9).reshape(3, 3))


class Wilful:
    """What a user's object may be like: it raises whatever it is asked."""

    def __repr__(self):
        raise RuntimeError("no")

    def __float__(self):
        raise RuntimeError("no")


class Unreadable(Success):
    """What a lazy result may be like."""

    def __getattribute__(self, name):
        if name == "flags":
            raise RuntimeError("no")
        return super().__getattribute__(name)


class Own(Success):
    """A subclass, with a field that no reader knows."""

    extra = 1


class Text(str):
    def __str__(self):
        return "another text"


def failure(**changes):
    return Failure(**{"kind": "scf", "message": ""} | changes)


def named(changes=None, **others):
    return Success({"ie": 1.0} | (changes or {}), **others)


def at(numbers, positions):
    return Success(1.0, geometries={"molecule": Geometry(numbers, positions)})


def calculated(**changes):
    facts = {"charge": 0, "n_unpaired": 1, "method": "GFN2-xTB", "energy_ev": -1.5}
    return Success(1.0, {"molecule": Calculation(**facts | changes)})


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (1, 1.0),
        (1.5, 1.5),
        (np.float32(1.5), 1.5),
        (np.int64(-3), -3.0),
        (np.array(2.5), 2.5),
        (Decimal("2.5"), 2.5),
        (Fraction(1, 4), 0.25),
        (-1e100, -1e100),
    ],
)
def test_a_value_is_a_real_number(value, kept):
    found = checked(Success(value), "ie").values["ie"]
    assert (type(found), found) == (float, kept)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "outcome: got None, expected a Success or a Failure"),
        (1.5, "outcome: got 1.5"),
        (Success, "outcome: got <class"),
        (Unreadable(1.0), "outcome: cannot be read, as it raises RuntimeError('no')"),
        (Success(nan), "value: got nan, expected a real number, 1e+100 at most in size"),
        (Success(-inf), "value: got -inf"),
        (Success(1.1e100), "value: got 1.1e+100"),
        (Success(10**400), "value: got 1000"),
        (Success(10**5000), "value: got an object of the type int"),
        (Success("1.5"), "value: got '1.5'"),
        (Success(True), "value: got True"),
        (Success(np.bool_(True)), "value: got "),
        (Success(1 + 0j), "value: got (1+0j)"),
        (Success(np.complex128(1)), "value: got "),
        (Success(np.array([1.5])), "value: got array([1.5])"),
        (Success(Decimal("sNaN")), "value: got Decimal('sNaN')"),
        (Success(None), "value: got None"),
        (Success(Wilful()), "value: got <Wilful instance"),
        (Success("x" * 10**6), "value: got 'xxxx"),
        (Success([1.0]), "value: got [1.0]"),
        (Success({}), "values: got [], expected 'ie' among their names"),
        (Success({"ea": 1.0}), "values: got ['ea'], expected 'ie' among their names"),
        (Success({"ie": nan}), "values['ie']: got nan, expected a real number"),
        (named({"gap": "large"}), "values['gap']: got 'large', expected a number"),
        (named({1: 2.0}), "values: got {'ie': 1.0, 1: 2.0}, expected finite numbers by their"),
        (named(dict.fromkeys(("\0", "?"), 1.0)), "names, which differ"),
        (calculated(charge=0.5), "charge: got 0.5, expected a whole number"),
        (calculated(charge=True), "charge: got True"),
        (calculated(n_unpaired="1"), "n_unpaired: got '1'"),
        (calculated(n_unpaired=-1), "n_unpaired: got -1"),
        (calculated(method=None), "method: got None, expected a text"),
        (calculated(energy_ev=nan), "energy_ev: got nan"),
        (calculated(n_steps=inf), "n_steps: got inf"),
        (Success(1.0, {"molecule": 1}), "calculations['molecule']: got 1, expected a Calculation"),
        (Success(1.0, [1]), "calculations: got [1], expected Calculations by their names"),
        (Success(1.0, flags="odd"), "flags: got 'odd', expected a tuple of words"),
        (Success(1.0, flags=("odd", 1)), "flags[1]: got 1, expected a word"),
        (Success(1.0, flags={"odd"}), "flags: got {'odd'}"),
        (Success(1.0, seconds=-0.1), "seconds: got -0.1"),
        (Success(1.0, seconds=nan), "seconds: got nan"),
        (Success(1.0, geometries=[1]), "geometries: got [1], expected Geometries by"),
        (Success(1.0, geometries={"a": 1}), "geometries['a']: got 1, expected a Geometry"),
        (at([], []), "geometry.numbers: got []"),
        (at([0], [[0, 0, 0]]), "expected atomic numbers of 1 to 118"),
        (at([119], [[0, 0, 0]]), "geometry.numbers: got [119]"),
        (at([264], [[0, 0, 0]]), "geometry.numbers: got [264]"),
        (at([1.5], [[0, 0, 0]]), "geometry.numbers: got [1.5]"),
        (at([nan], [[0, 0, 0]]), "geometry.numbers: got [nan]"),
        (at(["H"], [[0, 0, 0]]), "geometry.numbers: got ['H']"),
        (at([[1]], [[0, 0, 0]]), "geometry.numbers: got [[1]]"),
        (at([1], [0, 0, 0]), "geometry.positions_angstrom: got [0,"),
        (at([1, 1], [[0, 0, 0]]), "of shape (2, 3)"),
        (at([1], [[0, inf, 0]]), "expected finite numbers in Å"),
        (at([1], [[0, 1j, 0]]), "geometry.positions_angstrom"),
        (failure(kind=None), "kind: got None, expected a text"),
        (failure(kind=12), "kind: got 12"),
        (failure(message=1), "message: got 1, expected a text"),
        (failure(seconds="long"), "seconds: got 'long'"),
    ],
)
def test_what_is_wrong_is_told(outcome, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        checked(outcome, "ie")
    assert len(str(caught.value)) < 300
    told = accepted(outcome, "ie")
    assert (told.kind, told.message) == ("invalid_result", str(caught.value))


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("too_odd", "too_odd"),
        ("T2", "T2"),
        ("two words", "two_words"),
        ("2-electron: no", "_2_electron_no"),
        ("3d_fail", "_3d_fail"),
        ("12", "_12"),
        ("_own", "_own"),
        ("échec", "échec"),
        ("größe", "größe"),
        ("超时", "超时"),
        ("a\u202eb\x1b[c", "a_b_c"),
        ("a" * 65, "a" * 64),
    ],
)
def test_a_kind_is_a_word(kind, kept):
    assert checked(failure(kind=kind)).kind == kept


@pytest.mark.parametrize("kind", ["", " ", "?!", "__", "\udc80", "_" * 64 + "a"])
def test_a_failure_whose_kind_is_no_word_keeps_all_else(kind):
    kept = checked(failure(kind=kind, message="no host", seconds=1.0))
    assert kept == failure(kind="unexpected", message="no host", seconds=1.0)


def test_texts_can_be_stored():
    bad = "a\0b\udc80 \ud83d\ude00"
    assert checked(failure(message=bad)).message == "a?b? ??"
    found = checked(failure(message=Text(bad))).message
    assert (type(found), found) == (str, "a?b? ??")
    assert checked(failure(message="m" * 5000)).message == "m" * 4000 + " ..."
    assert accepted(Success("\udc80"), "ie").message.startswith("value: got '\\udc80'")


def test_flags_are_words():
    flags = ["not_converged", "two words", " \t\n", "", "\udc80", "a\0b"]
    found = checked(named(flags=flags)).flags
    assert found == ("not_converged", "two_words", "?", "a?b")


def test_further_values_are_numbers_that_json_has():
    further = {
        "whole": np.int64(3),
        "real": np.float32(0.5),
        "array": np.array(0.25),
        "converged": True,
        "long": 2**63,
        "nan": nan,
        "infinite": -inf,
        "a\0": Decimal(2),
    }
    found = checked(Success(further | {"ie": 1}), "ie").values
    assert (next(iter(found)), found.pop("ie")) == ("ie", 1.0)
    assert found == {
        "whole": 3, "real": 0.5, "array": 0.25, "converged": 1, "long": 2.0**63, "a?": 2.0,
    }  # fmt: skip
    kinds = [int, float, float, int, float, float]
    assert [type(number) for number in found.values()] == kinds
    json.dumps(found, allow_nan=False)


def test_a_geometry_is_of_the_types_that_are_stored():
    whole = Geometry([8.0, 1.0, 1.0], WATER.positions_angstrom.tolist())
    for given_geometry in (WATER, whole):
        found = checked(named(geometries={"a": given_geometry})).geometries["a"]
        assert found.numbers.tolist() == [8, 1, 1]
        assert found.positions_angstrom.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
        assert (found.numbers.dtype, found.positions_angstrom.dtype) == (np.uint8, np.float64)


def test_arrays_that_are_right_are_not_copied():
    right = Geometry(np.array([8, 1, 1], np.uint8), np.zeros((3, 3)))
    kept = checked(named(geometries={"a": right})).geometry
    assert kept.numbers is right.numbers
    assert kept.positions_angstrom is right.positions_angstrom
    swapped = Geometry(right.numbers, right.positions_angstrom.astype(">f8"))
    kept = checked(named(geometries={"a": swapped})).geometry
    assert kept.positions_angstrom.dtype == "=f8"


def test_what_earlier_versions_have_stored_is_accepted():
    numbers = np.frombuffer(b"\1\1", "u1")
    positions = np.frombuffer(bytes(48), "<f8").reshape(-1, 3)
    values = {"ie": 15.0, "": 1, "x": nan, "y": inf}
    found = checked(Success(values, {}, {"molecule": Geometry(numbers, positions)}, ("a b", "")))
    assert (found.values, found.flags) == ({"ie": 15.0, "": 1}, ("a_b",))
    assert found.geometry.positions_angstrom.tolist() == [[0.0] * 3] * 2
    assert checked(failure(kind="no-conformer")).kind == "no_conformer"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"charge": 10_001}, "charge: got 10001, expected a whole number, 10000 at most in size"),
        ({"charge": -10_001}, "charge: got -10001"),
        ({"n_unpaired": 2**53 + 1}, "n_unpaired: got 9007199254740993, expected a whole number, 0"),
        ({"n_steps": -1}, "n_steps: got -1"),
    ],
)
def test_what_would_not_be_read_back_is_refused(changes, told):
    with pytest.raises(OutcomeError, match=re.escape(told)):
        checked(calculated(**changes), "ie")


def test_a_charge_that_would_not_be_read_back_is_a_failure_of_its_molecule():
    found = accepted(Success({"ie": 1.0}, {"x": Calculation(20_000, 0, "x", 1.0)}), "ie")
    assert (found.kind, found.message[:20]) == ("invalid_result", "charge: got 20000, e")


def test_the_largest_parts_of_a_calculation_are_kept():
    largest = {"charge": -10_000, "n_unpaired": 2**53, "n_steps": 2**53}
    [found] = checked(calculated(**largest), "ie").calculations.values()
    assert (found.charge, found.n_unpaired, found.n_steps) == (-10_000, 2**53, 2**53)


def test_no_part_is_larger_than_a_cell_of_a_database():
    atoms = np.ones(2**20 + 1, np.uint8)
    with pytest.raises(OutcomeError, match="n from 1 to 1048576"):
        checked(at(atoms, np.zeros((len(atoms), 3))), "ie")
    with pytest.raises(OutcomeError, match="1048576 letters at most"):
        checked(named(flags=("x" * 4000,) * 263), "ie")  # 1,052,000
    assert len(checked(named(flags=("x" * 4000,) * 262), "ie").flags) == 262


def test_calculations_are_of_our_own_types():
    [found] = checked(calculated(charge=np.int64(-1), n_steps=4.0), "ie").calculations.values()
    assert found == Calculation(-1, 1, "GFN2-xTB", -1.5, n_steps=4)
    assert (type(found.charge), type(found.n_steps)) == (int, int)


def test_what_is_kept_is_of_our_own_types():
    own = Own({Text("gap"): np.float64(2.0), "ie": np.float64(1.0)}, seconds=np.float32(0.5))
    found = checked(own, "ie")
    assert (type(found), found) == (Success, Success({"ie": 1.0, "gap": 2.0}, seconds=0.5))
    assert list(map(type, found.values)) == [str, str]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(codec=None), max_size=5)
    | st.binary(max_size=5)
    | st.builds(Wilful)
    | st.sampled_from([np.float32(nan), np.array(1), np.array(["x"]), Decimal("Infinity"), Text()]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.builds(Geometry, inner, inner)
    ),
    max_leaves=6,
)
# near enough to what is right for some to pass
texts = st.text(st.characters(codec=None), max_size=8) | anything
numbers = st.floats() | st.integers() | anything
geometries = st.builds(
    Geometry,
    st.lists(st.integers(0, 120), max_size=3),
    st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), max_size=3),
)
calculations = st.builds(
    Calculation,
    st.integers(),
    st.integers(),
    texts,
    numbers,
    texts,
    texts,
    st.integers() | anything,
)


def named_by(some):
    names = texts.filter(lambda text: isinstance(text, str))
    return st.dictionaries(names, some, max_size=3)


outcomes = (
    anything
    | st.builds(
        Success,
        values=numbers | named_by(numbers) | named_by(numbers).map(lambda some: {"ie": 1.5} | some),
        calculations=named_by(calculations | anything) | anything,
        geometries=named_by(geometries | anything) | anything,
        flags=st.lists(texts, max_size=3),
        seconds=st.floats(0) | anything,
    )
    | st.builds(Failure, texts, texts, numbers)
)


@given(outcomes)
def test_whatever_is_given_an_outcome_comes_that_can_be_stored(outcome):
    kept = accepted(outcome, "ie")
    texts = []
    assert kept.seconds >= 0
    if isinstance(kept, Failure):
        assert re.fullmatch(r"(?!\d|_*$)\w{1,64}", kept.kind)
        texts += [kept.kind, kept.message]
    else:
        assert abs(kept.value) <= 1e100
        assert next(iter(kept.values)) == "ie"
        json.dumps([kept.values, [*map(vars, kept.calculations.values())]], allow_nan=False)
        assert " ".join(kept.flags).split() == list(kept.flags)
        texts += [*kept.values, *kept.calculations, *kept.geometries, *kept.flags]
        for one in kept.geometries.values():
            assert len(one.numbers)
            assert one.positions_angstrom.shape == (len(one.numbers), 3)
    for text in texts:
        assert type(text) is str
        assert storable(text) == text
    assert repr(checked(kept)) == repr(kept)  # arrays do not compare by themselves

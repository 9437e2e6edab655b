import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from molloop.campaign.jobs import Known
from molloop.campaign.training import TrainingSet
from molloop.campaign.warm_start import WarmStart

WIDTH = 3


class Library:
    """Features that tell which molecule they are of."""

    @staticmethod
    def features(kind, molecule_ids):
        assert kind == "descriptors"
        column = np.array(molecule_ids, dtype=np.float32).reshape(-1, 1)
        return np.repeat(column, WIDTH, axis=1)


def known(n):
    items = tuple(Known("C", 100.0 + key, None) for key in range(n))
    features = Library.features("descriptors", [1000 + key for key in range(n)])
    return WarmStart(items, {"descriptors": features})


@given(st.permutations(range(12)), st.lists(st.integers(0, 5), max_size=8), st.integers(0, 3))
def test_what_came_in_any_order_is_learnt_from_in_that_of_the_proposals(came, sizes, n_known):
    training = TrainingSet(Library, "descriptors", known(n_known))
    given_out, left = [], list(came)
    for size in [*sizes, len(came)]:
        # proposal p is of molecule 50 - p, with a value of 10 p
        training.add((p, 50 - p, 10.0 * p) for p in left[:size])
        left = left[size:]
        arrays = training.arrays()
        given_out.append((arrays, [array.copy() for array in arrays]))
    features, values, order = training.arrays()
    first = [100.0 + key for key in range(n_known)]
    assert values[order].tolist() == first + [10.0 * p for p in range(12)]
    ids = [1000.0 + key for key in range(n_known)] + [50.0 - p for p in range(12)]
    assert features[order].tolist() == [[one] * WIDTH for one in ids]
    for arrays, copies in given_out:  # a ranking that is lost is asked for again
        assert all(map(np.array_equal, arrays, copies))


def test_without_any_value_there_is_nothing():
    features, values, order = TrainingSet(Library, "descriptors", known(0)).arrays()
    assert (features.shape, values.shape, order.shape) == ((0, WIDTH), (0,), (0,))

import pytest

from molloop.report.numbers import rounded


@pytest.mark.parametrize(
    ("value", "decimals", "told"),
    [
        (20.2341, 3, "20.234"),
        (0.0, 3, "0.000"),
        (0.001, 3, "0.001"),
        (1.234e-12, 3, "1.23e-12"),
        (-1.5e-5, 2, "-1.5e-05"),
        (1e99, 3, "1e+99"),
        (-9_999_999.0, 2, "-9999999.00"),
    ],
)
def test_numbers_of_any_size_can_be_read(value, decimals, told):
    assert rounded(value, decimals) == told


def test_a_sign_is_shown_where_it_is_wanted():
    assert (rounded(0.5, 2, "+"), rounded(-1e-9, 2, "+")) == ("+0.50", "-1e-09")

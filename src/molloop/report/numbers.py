"""Numbers as people read them."""


def rounded(value: float, decimals: int = 3, sign: str = "") -> str:
    """Return a number with so many decimals; a tiny or huge one with as many digits instead.

    Parameters
    ----------
    sign
        ``+`` where positive ones have theirs.
    """
    if value == 0 or 10.0**-decimals <= abs(value) < 1e7:
        return f"{value:{sign}.{decimals}f}"
    return f"{value:{sign}.{decimals}g}"

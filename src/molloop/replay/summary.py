"""What comparisons and searches come to, in rows and lines of words."""

from collections.abc import Callable

import numpy as np

from molloop.replay.compare import Comparison
from molloop.replay.tune import C, Tuned
from molloop.texts import counted


def comparison_rows(found: Comparison) -> list[list[str]]:
    """Return headings and a row a policy: recall on the way, and at the end what else there is.

    Of several objectives the share of the true front's hypervolume, and at the end recall of it.

    A campaign that ended sooner than others stays where it was; the best value is the mean over
    those that have one. The last column is the paired 95% interval of how far the first policy is
    ahead at the end. Of ladders the way is one of time, not of simulations.
    """
    stops = found.stops()
    k, last = len(found.truth.top), stops[-1]
    first = next(iter(found.curves))
    told = [f"{one:.0f} s" if found.is_of_ladders else f"{one}" for one in stops]
    after = [f"after {one}" for one in told[1:]]
    has_front = found.truth.points is not None
    measure, ended = ("hypervolume", "recall") if has_front else ("recall", "best")
    begins = "hypervolume" if has_front else f"top {k}"
    ends = f"of the {k} on the front" if has_front else "best"
    headings = ["policy", f"{begins} after {told[0]}", *after, ends, "time (s)", "ahead by"]
    rows = [headings]
    for policy, curves in found.curves.items():
        best = found.after(policy, ended, last)
        ahead = ""
        if policy != first:
            one = found.advantage(first, policy, measure, last)
            ahead = f"{one.low[0]:+.3f} to {one.high[0]:+.3f}" if one.is_known[0] else ""
        cells = [f"{found.after(policy, measure, stop).mean():.3f}" for stop in stops]
        shown = "" if np.isnan(best).all() else f"{np.nanmean(best):.2f}"
        time_s = np.mean([one.times_s[-1] for one in curves])
        rows.append([policy, *cells, shown, f"{time_s:.1f}", ahead])
    return rows


def calibration_line(found: Comparison) -> str:
    """Return how often values lie within one predicted deviation; nothing if none was predicted.

    Means over the campaigns, by policy: of the molecules that were chosen, and but for ladders of
    all others.
    """
    said, n_shares = [], 1 if found.is_of_ladders else 2
    for policy, curves in found.curves.items():
        shares = np.array([(one.within_chosen, one.within_others)[:n_shares] for one in curves])
        known = shares[np.isfinite(shares).all(axis=1)]
        if len(known):
            said.append(f"{policy} {' and '.join(f'{one:.0%}' for one in known.mean(axis=0))}")
    if not said:
        return ""
    others = "" if found.is_of_ladders else " and of all others"
    return (
        "Values within one predicted deviation (68% would be right), of the molecules chosen"
        f"{others}: {'; '.join(said)}."
    )


def failure_lines(found: Comparison) -> list[str]:
    """Return a line a policy whose campaigns failed; the others count beside them."""
    n_seeds = len(found.seeds)
    return [
        f"{policy}: {len(reasons)} of {counted(n_seeds, 'campaign')} failed ({reasons[0]})"
        for policy, reasons in found.failures().items()
    ]


def trial_rows(
    found: Tuned[C], objective: str, describe: Callable[[C], str]
) -> tuple[list[list[str]], str]:
    """Return headings, a row a configuration, and what they are.

    Parameters
    ----------
    describe
        Configuration -> what varies of it, in a line.
    """
    rows = [["", "configuration", objective, "time (s)"]]
    named = [("front", one) for one in found.front]
    named += [("chosen, unseen seeds", found.unseen[0]), ("begun with", found.unseen[1])]
    for name, trial in named:
        rows.append([name, describe(trial.settings), f"{trial.value:.3f}", f"{trial.time_s:.2f}"])
    return rows, "Means over seeds; the time is that after which nothing better was found."

"""What a run comes to, in lines of words."""

from molloop.campaign.engine import Work
from molloop.goal import Objective
from molloop.report.accuracy import Accuracy
from molloop.report.found import Found
from molloop.report.front import front_of
from molloop.report.numbers import rounded
from molloop.report.stages import stage_lines
from molloop.report.utilisation import utilisation
from molloop.texts import counted

N_RECENT = 50


def summary_lines(results: Found) -> list[str]:
    """Return how a run ended, what its workers did, what is good, how wrong its model is."""
    lines = []
    if results.stopped is not None:
        lines.append(f"Ended: {results.stopped.reason}.")
        if results.n_not_finished:
            lines.append(
                f"Not finished: {results.n_not_finished:,} of the molecules that were handed out."
            )
    if results.n_rejected:
        lines.append(
            f"Left out: {counted(results.n_rejected, 'line')} of the library's source without a "
            f"molecule: {results.rejects}"
        )
    if results.excluded:
        lines.append(results.excluded)
    if n_others := sum(item.molecule_id is None for item in results.known):
        lines.append(
            f"Known beforehand: {counted(len(results.known), 'value')}, {n_others:,} of them of "
            "molecules that are not in the library."
        )
    if (used := utilisation(results.tasks, results.resumed_s)) is not None:
        workers = "worker" if used.n_workers == 1 else "workers"
        shares = ", ".join(f"{work} {used.shares[work]:.0%}" for work in Work)
        lines.append(
            f"{used.n_workers} {workers} in {used.duration_s:.1f} s: busy {used.busy:.0%} "
            f"({shares}), {1000 * used.median_gap_s:.0f} ms between two tasks"
        )
    lines += stage_lines(results)
    if (front := front_of(results)) is not None:
        lines.append(front.words())
    objective, n = results.objective, len(results.values)
    if objective.threshold is not None and n:
        side = "above" if objective.sign > 0 else "below"
        n_last = min(n, N_RECENT)
        lines.append(
            f"{side} {objective.threshold:g} {objective.quantity.unit}: "
            f"{results.n_beyond_threshold()} of {counted(n, 'value')}, "
            f"{results.n_beyond_threshold(n_last)} of the last {n_last}"
        )
    # of a goal each quantity has a model
    model = "Model" if results.goal is None else f"Model of {objective.quantity.symbol}"
    told = [_accuracy(model, *one, objective) for one in results.accuracy.items()]
    return [*lines, *told]


def _accuracy(model: str, where: str, one: Accuracy, objective: Objective) -> str:
    low, high = one.error_interval
    least, most = one.within_interval
    unit = f" {objective.quantity.unit}" if objective.quantity.unit else ""
    bounds = f" ({rounded(low, 2)} to {rounded(high, 2)})" if one.n > 1 else ""
    whose = counted(one.n, where.replace("molecules", "molecule", 1), where)
    return (
        f"{model}, {whose}: off by {rounded(one.error, 2)}{unit}{bounds}, "
        f"{rounded(one.bias, 2, '+')} in the mean; {one.within:.0%} within its standard deviation "
        f"({least:.0%} to {most:.0%}; 68% would be right)"
    )

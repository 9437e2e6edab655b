"""Which molecules are computed again in the next stage, where there is more than one objective."""

import numpy as np

from molloop.goal import Goal
from molloop.search.aim import Aim, n_weighings
from molloop.search.beliefs import Beliefs
from molloop.search.candidates import table_of
from molloop.search.chain import Certain, Chain, chained
from molloop.search.chance import chances_of
from molloop.search.promote import Promoted, Promotion
from molloop.surrogate.model import Floats, Surrogate


def promote_goal(
    given: Promotion,
    goal: Goal,
    seen: Floats,
    acquisition: str,
    n: int,
    best: float | None,
    seed: tuple[int, int],
    *,
    learns_failures: bool = True,
) -> Promoted:
    """Choose up to n molecules for a stage, by what their values are expected to become.

    As the library's molecules are chosen: one by one, each by another weighing of the objectives,
    constraints by the probability that they hold in the last stage.

    Parameters
    ----------
    given
        Its values have the shapes (n, q) and (p, q), those of the goal's quantities; all are there.
    seen
        Values in the stage below of all molecules that have any, shape (k, q), NaN where there is
        none: the scale on which objectives are weighed.
    acquisition
        ``greedy`` or ``ucb``; of one objective also ``ei``.
    best
        The best value of the last stage that counts as one; None: there is none yet.
    learns_failures
        Whether the choice also goes by the chance of values, which failures in the stages above
        teach.
    """
    rng = np.random.default_rng(seed)
    tried = [one.tried for one in given.pairs if one.place == 0]
    chances = tuple(chances_of(tried, rng)) if learns_failures else ()
    places = [k for k, one in enumerate(goal.quantities) if not one.descriptor]
    pairs = {k: [one for one in given.pairs if one.place == k] for k in places}
    below = np.concatenate([given.below, given.pending_below])
    seen = seen.copy()
    models: dict[int, Surrogate | Chain] = {}
    for k in places:
        chain = models[k] = chained(Certain(below[:, k]), pairs[k], rng)
        seen[:, k] = chain.usual(seen[:, k])
    worst = float(np.nanmin(seen[:, 0]))
    best = worst if best is None else best
    aim = Aim.of(goal, acquisition, seen, best, n_weighings(goal, n), rng)
    beliefs = Beliefs(aim, models, chances)
    features = np.concatenate([given.features, given.pending_features])
    means, stds, log_chance = beliefs.predict(features, below.T)
    candidates = table_of(
        id=given.ids,
        mean=means.T[: len(given.ids)],
        std=stds.T[: len(given.ids)],
        log_chance=log_chance[: len(given.ids)],
        features=given.features,
    )
    chosen = candidates[beliefs.choose(candidates, given.pending_features, n).rows]
    return Promoted(chosen["id"], chosen["mean"], chosen["std"], 0.0)

"""One stage of a ladder alone."""

import numpy as np
from small_run import item

from molloop.config.settings import Settings
from molloop.replay.alone import best_first, in_turn


def test_the_next_free_worker_takes_the_next_job():
    # one is free at 10 s, the other one at 12 s
    ends_s = in_turn(np.array([5.0, 1.0, 1.0, 3.0]), [10.0, 12.0])
    assert ends_s.tolist() == [15.0, 13.0, 14.0, 17.0]


def test_the_best_come_first_and_failures_not_at_all():
    done = [item(0, 1.0, 9.0), item(1, 2.0, None), item(2, 3.0, 11.0), item(3, 4.0, 9.0)]
    assert best_first(done, Settings().objective()).tolist() == [102, 100, 103]

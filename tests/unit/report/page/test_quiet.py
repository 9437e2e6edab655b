"""A log that others cannot fill."""

import errno
import logging

from molloop.report.page.quiet import PERIOD_S, Quiet, quiet


def record(line, words, *arguments, error=None):
    exc_info = error and (type(error), error, None)
    return logging.LogRecord("a", logging.ERROR, "a.py", line, words, arguments, exc_info)


def test_a_line_a_minute_a_kind_and_how_many_were_left_out():
    now_s = [0.0]
    one = Quiet(lambda: now_s[0])
    assert one.filter(record(1, "first %s", "x"))
    assert one.filter(record(2, "of another kind"))
    assert not any(one.filter(record(1, "first %s", n)) for n in range(1200))
    now_s[0] = PERIOD_S
    again = record(1, "first %s", "y")
    assert one.filter(again)
    assert again.getMessage() == "first y (1,200 more of this kind before)"
    now_s[0] = 2 * PERIOD_S
    later = record(1, "first %s", "z")
    assert one.filter(later)
    assert later.getMessage() == "first z"


def test_what_the_system_refuses_is_one_line():
    error = OSError(errno.EMFILE, "Too many open files")
    refused = record(1, "no connection\nsocket: <50% of it>", error=error)
    assert Quiet().filter(refused)
    assert refused.getMessage() == "no connection: [Errno 24] Too many open files"
    assert refused.exc_info is None
    fault = record(2, "a fault", error=ValueError("x"))
    assert Quiet().filter(fault)
    assert fault.exc_info is not None


def test_a_log_is_quiet_for_a_time(caplog):
    log = logging.getLogger("molloop.test_quiet")
    with quiet([log.name]):
        for n in range(3):
            log.warning("again %d", n)
    for n in range(2):
        log.warning("afterwards %d", n)
    assert caplog.messages == ["again 0", "afterwards 0", "afterwards 1"]

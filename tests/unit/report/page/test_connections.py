"""How many connections a page keeps, of whom, and for how long."""

import contextlib
import resource
import socket
import threading
from collections import deque
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_run import STEPS, new_store

from molloop.errors import RunError
from molloop.report.page import connections, server
from molloop.report.page.connections import Limits, Places
from molloop.report.page.feed import Feed


def test_the_oldest_gives_way():
    places = Places(2)
    assert [places.take(one) for one in "abc"] == [None, None, "a"]
    places.leave("b")
    places.leave("never there")
    assert places.take("d") is None
    assert places.take("e") == "c"
    assert [one in places for one in "abcde"] == [False, False, False, True, True]


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=60))
def test_places_are_a_queue_with_an_end(n, steps):
    places, expected = Places(n), deque()
    for is_taken, one in steps:
        if not is_taken:
            places.leave(one)
            with contextlib.suppress(ValueError):
                expected.remove(one)
        elif one not in places:
            expected.append(one)
            assert places.take(one) == (expected.popleft() if len(expected) > n else None)
    assert [one for one in range(21) if one in places] == sorted(expected)


@pytest.mark.parametrize(
    ("n_free", "expected"),
    [
        (21, Limits(8, 8, 1)),
        (41, Limits(8, 8, 1)),
        (42, Limits(16, 16, 2)),
        (168, Limits(64, 64, 8)),
        (10**6, Limits(64, 64, 8)),
    ],
)
def test_limits_follow_from_the_files_that_may_be_open(n_free, expected):
    assert Limits.within(n_free) == expected


def test_too_few_files_are_told(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (24, 24))
    with pytest.raises(RunError, match=r"open files, and this process may have 24\..*ulimit -n"):
        Limits.of_process()


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Serve a page with few places and little patience; yield its address and its link's path."""
    monkeypatch.setattr(connections, "PATIENCE_S", 0.5)
    monkeypatch.setattr(Limits, "of_process", lambda: Limits(n_known=3, n_strangers=3, n_at_once=1))
    monkeypatch.setattr(server, "N_STREAMS", 2)
    servers, is_there, told = [], threading.Event(), []
    run = server.uvicorn.Server.run
    monkeypatch.setattr(
        server.uvicorn.Server, "run", lambda self, **rest: (servers.append(self), run(self, **rest))
    )
    with closing(new_store(tmp_path)) as store:
        for time_s, *rest in STEPS:
            store.append(time_s, *rest)

    def say(link):
        told.append(link)
        is_there.set()

    with server.listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        words = (Feed(tmp_path), "127.0.0.1", listener, say)
        thread = threading.Thread(target=server.serve, args=words)
        thread.start()
        try:
            assert is_there.wait(20)
            yield address, told[0].partition(f":{address[1]}")[2]
        finally:
            servers[0].should_exit = True
            thread.join(20)


def connect(address, words=b""):
    one = socket.create_connection(address, timeout=20)
    one.sendall(words)
    return one


def request(address, path, method="GET", **headers):
    given = {"Host": "{}:{}".format(*address)} | headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in given.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def read(one):
    """Return all that comes until the connection ends."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while part := one.recv(4096):
            content += part
    one.close()
    return content


def head(one):
    """Return what comes first."""
    return one.recv(4096).decode().partition("\r\n\r\n")[0]


def test_the_owner_is_answered_among_strangers(page):
    address, path = page
    owner = connect(address, request(address, path))
    assert "303" in head(owner)
    cookie = {"Cookie": f"molloop-{address[1]}={path.partition('token=')[2]}"}
    idle = [connect(address) for _ in range(8)]
    # the oldest have given way at once, the last three do so when their time is over
    assert [read(one) for one in idle] == [b""] * 8
    # who sends byte by byte has no more time
    slow = connect(address, b"G")
    assert read(slow) == b""
    # what is too long is not read to its end
    long = connect(address, b"GET / HTTP/1.1\r\n" + b"x" * connections.REQUEST_BYTES)
    assert read(long) == b""
    # the owner's connection has stayed, and answers
    owner.sendall(request(address, "/", **cookie))
    assert head(owner).startswith("HTTP/1.1 200")
    owner.close()
    # of the owner's, too, the oldest gives way
    own = []
    for _ in range(4):
        own.append(connect(address, request(address, "/page.css", **cookie)))
        assert head(own[-1]).startswith("HTTP/1.1 200")
    read(own[0])
    own[1].sendall(request(address, "/page.js", **cookie))
    assert own[1].recv(4096)
    for one in own[1:]:
        one.close()


def test_of_too_many_streams_the_oldest_ends(page):
    address, path = page
    cookie = {"Cookie": f"molloop-{address[1]}={path.partition('token=')[2]}"}
    streams = [connect(address, request(address, "/events", **cookie))]
    assert "text/event-stream" in head(streams[0])
    for _ in range(2):
        streams.append(connect(address, request(address, "/events", **cookie)))
        assert "text/event-stream" in head(streams[-1])
    content = b""
    while not content.endswith(b"0\r\n\r\n"):  # the last chunk
        content += streams[0].recv(65536)
    assert b"event: closed" not in content  # the page's script connects anew
    for one in streams:
        one.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 403),
        ("POST", "/", {"Content-Length": "100000"}, 405),
        ("OPTIONS", "*", {}, 405),
        ("HEAD", "/events", {}, 403),
        ("GET", "/", {"Upgrade": "websocket", "Connection": "Upgrade"}, 403),
        ("GET", "/", {"Cookie": "a=1; " * 3000}, 403),
        ("GET", "/", {f"X-{n}": "" for n in range(1000)}, 403),
        ("GET", "/", {"Host": "evil.example"}, 421),
    ],
    ids=lambda one: str(one)[:20],
)
def test_a_stranger_gets_one_answer_and_no_second(page, method, path, headers, status):
    address, _ = page
    words = request(address, path, method, **headers)
    answer = read(connect(address, words + request(address, "/"))).decode()
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert "connection: close" in answer.lower()
    assert answer.count("HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("HEAD", "/events", 200), ("HEAD", "/", 200), ("POST", "/", 405), ("OPTIONS", "/", 405)],
)
def test_what_is_no_reading_has_an_end(page, method, path, status):
    address, link = page
    cookie = {"Cookie": f"molloop-{address[1]}={link.partition('token=')[2]}"}
    words = request(address, path, method, Connection="close", **cookie)
    assert read(connect(address, words)).startswith(f"HTTP/1.1 {status} ".encode())

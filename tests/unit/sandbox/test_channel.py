import os
import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molloop.sandbox.channel import LARGEST_CONTENT, Channel, Frame, FrameError, new_nonce

NONCE = bytes(range(1, 17))


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), Channel(theirs)


def written(content, length=None, nonce=NONCE):
    """Return a frame as it is written."""
    return nonce + struct.pack("!I", len(content) if length is None else length) + content


@pytest.mark.parametrize("size", [0, 1, 100, 70_000])
def test_a_frame_is_taken_as_it_was_sent(ends, size):
    ours, theirs = ends
    theirs.send(NONCE, b"x" * size)
    assert ours.receive(os.getpid(), NONCE) == Frame(os.getpid(), NONCE, b"x" * size)
    ours.send(NONCE, b"")
    assert theirs.receive() == Frame(os.getpid(), NONCE, b"")


def test_it_is_written_as_nonce_length_and_content(ends):
    ours, theirs = ends
    theirs.send(NONCE, b"abc")
    assert ours.connection.recv(100) == written(b"abc")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"\0", "no answer that can be read"),  # at the first byte
        (NONCE[:8] + b"\0", "no answer that can be read"),
        (written(b"abc", nonce=bytes(16)), "no answer that can be read"),  # a stale one
        (written(b"abc") + b"d", "no answer that can be read"),
        (written(b"abc", LARGEST_CONTENT + 1), "more than 67108864 bytes"),
    ],
)
def test_anything_else_is_refused_at_once(ends, said, words):
    ours, theirs = ends
    theirs.connection.sendall(said)
    with pytest.raises(FrameError, match=words):
        ours.receive(os.getpid(), NONCE)


@given(st.binary(max_size=40))
@settings(max_examples=50)
def test_no_noise_is_taken_for_a_frame(noise):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(noise)
        theirs.shutdown(socket.SHUT_RDWR)
        with pytest.raises((FrameError, EOFError)):
            Channel(ours).receive(os.getpid(), NONCE)


def test_another_process_cannot_answer_though_it_knows_the_nonce(ends):
    ours, theirs = ends
    descriptor = theirs.connection.fileno()
    code = f"import os; os.write({descriptor}, {written(b'abc')!r})"
    command = [sys.executable, "-c", code]
    subprocess.run(command, pass_fds=[descriptor], check=True)
    with pytest.raises(FrameError, match="another process"):
        ours.receive(os.getpid(), NONCE)


def test_nor_can_it_end_an_answer_that_was_begun(ends):
    ours, theirs = ends
    whole = written(b"abc")
    theirs.connection.sendall(whole[:-1])
    descriptor = theirs.connection.fileno()
    command = [sys.executable, "-c", f"import os; os.write({descriptor}, {whole[-1:]!r})"]
    subprocess.run(command, pass_fds=[descriptor], check=True)
    with pytest.raises(FrameError, match="another process"):
        ours.receive(os.getpid(), NONCE)


def test_no_two_nonces_are_the_same():
    assert len({new_nonce() for _ in range(1000)}) == 1000
    assert len(new_nonce()) == 16

"""What guard and child say to each other, each time in a frame: a nonce, a length, a content.

What a task starts may share the child's end, and write on it. So a frame is taken only from
the process that is to answer, as the kernel tells who has written, and only with the nonce that
this process was told with its request.
"""

import os
import select
import socket
import struct
import sys
from typing import NamedTuple

HEADER = struct.Struct("!16sI")
NO_NONCE = bytes(16)
LARGEST_CONTENT = 2**26  # bytes; what an item writes may not fill the memory of its worker
READ_BYTES = 2**16
CREDENTIALS = struct.Struct("3i")  # of a process that writes: its id, its user's, its group's


class FrameError(Exception):
    """What has come is not the frame that was waited for; it says what it is."""


def new_nonce() -> bytes:
    """Return a nonce that no other request has."""
    return os.urandom(len(NO_NONCE))


class Frame(NamedTuple):
    """What has come: the id of the process that wrote it (0 where no kernel tells), and what."""

    sender: int
    nonce: bytes
    content: bytes


class Channel:
    """One end of a connected pair of stream sockets."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._ready = select.poll()
        self._ready.register(connection, select.POLLIN)
        if sys.platform == "linux":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def send(self, nonce: bytes, content: bytes) -> None:
        """Send a frame.

        Raises
        ------
        OSError
            The other end is closed, or this one.
        """
        self.connection.sendall(HEADER.pack(nonce, len(content)) + content)

    def receive(self, sender: int | None = None, nonce: bytes = b"") -> Frame:
        """Return the next frame.

        Parameters
        ----------
        sender, nonce
            What it has to come from, and to begin with; anything by default.

        Raises
        ------
        FrameError
            It is another one, or none: said at the first byte that is wrong.
        EOFError, OSError
            The other end is closed, or this one.
        """
        received = bytearray()
        size = HEADER.size
        while len(received) < size:
            piece, writer = self._read()
            if not piece:
                raise EOFError
            sender = writer if sender is None else sender
            if writer != sender:
                raise FrameError("had another process write its answer")
            received += piece
            is_ours = received.startswith(nonce[: len(received)])
            if len(received) >= HEADER.size:
                size = HEADER.size + HEADER.unpack_from(received)[1]
            if not is_ours or len(received) > size:
                raise FrameError("gave no answer that can be read")
            if size > HEADER.size + LARGEST_CONTENT:
                raise FrameError(f"gave an answer of more than {LARGEST_CONTENT} bytes")
        begin = len(NO_NONCE)
        return Frame(sender or 0, bytes(received[:begin]), bytes(received[HEADER.size :]))

    def _read(self) -> tuple[bytes, int]:
        """Return what is there, all from one process, and its id."""
        # RDKit (2026.9.1) gives SIGINT back in a way that no longer ends other waits
        self._ready.poll()
        if sys.platform != "linux":
            return self.connection.recv(READ_BYTES), 0
        room = socket.CMSG_SPACE(CREDENTIALS.size)
        piece, told, _, _ = self.connection.recvmsg(READ_BYTES, room)
        for level, kind, data in told:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return piece, CREDENTIALS.unpack(data)[0]
        return piece, 0

    def close(self) -> None:
        """Close this end."""
        self.connection.close()

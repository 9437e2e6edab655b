"""Tasks in a child process that can be killed, with all that it started, and replaced."""

import errno
import fcntl
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from molloop.sandbox.channel import NO_NONCE, Channel, FrameError, new_nonce
from molloop.sandbox.processes import ONE_THREAD, family_memory_bytes
from molloop.sandbox.task import Task

Item = TypeVar("Item")
Answer = TypeVar("Answer")
START_TIMEOUT_S = 120.0
END_TIMEOUT_S = 15.0
POLL_S = 0.05  # between two looks at the time
MEMORY_POLL_S = 0.2
HALT_POLL_S = 2.0  # it is a file on a network file system perhaps
HALTED = "halted"
N_LAST_WORDS = 500
LARGEST_OUTPUT_BYTES = 2**20  # of what a child prints; more than that is let go
GIB = 2**30


class ChildError(Exception):
    """The child passed a limit, or is gone: the kind of failure, and why."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason


class Guard:
    """One child process that runs a task on item after item.

    It is started when it is first needed and again whenever it is gone. It has a session of its
    own, runs one thread, and ends with the thread that started it, or with this object.
    """

    def __init__(self) -> None:
        self._child: _Child | None = None
        self._end: weakref.finalize[Any, Guard] | None = None

    def check(self, task: Task[Any, Any], is_over: Callable[[], bool] | None = None) -> str:
        """Return why a task cannot be run here, or nothing."""
        self._drop_lost()
        try:
            return str(self._ask(task, (), START_TIMEOUT_S, None, is_over))
        except ChildError as error:
            return f"The process that tries it {error.reason}."

    def run(
        self,
        item: Item,
        task: Task[Item, Answer],
        is_over: Callable[[], bool] | None = None,
    ) -> Answer | None:
        """Return an item's answer, whatever it does to the child.

        Parameters
        ----------
        is_over
            Asked every two seconds; where it says so the item is given up, without an answer.
        """
        self._drop_lost()
        if self._child is None or not self._child.knows(task):
            self.check(task, is_over)  # imports do not count for the item's time and memory
            if is_over is not None and is_over():
                return None
        began_s = time.perf_counter()
        try:
            limit_bytes = task.memory_limit_gib * GIB
            answer: Answer = self._ask(task, (item,), task.timeout_s, limit_bytes, is_over)
        except ChildError as error:
            if error.kind == HALTED:
                return None
            return task.failed(item, error.kind, error.reason, time.perf_counter() - began_s)
        return answer

    def close(self) -> None:
        """End the child and all its descendants."""
        if self._end is not None:
            self._end()
        self._child = self._end = None

    def _drop_lost(self) -> None:
        """Let go a child that is gone, or has said something that nobody asked for."""
        if self._child is not None and not self._child.answers():
            self.close()

    def _ask(
        self,
        task: Task[Any, Any],
        items: tuple[object, ...],
        timeout_s: float,
        limit_bytes: float | None,
        is_over: Callable[[], bool] | None = None,
    ) -> Any:
        if self._child is None:
            self._child = _Child()
            self._end = weakref.finalize(self, self._child.end)
        try:
            answer, is_last = self._child.ask(task, items, timeout_s, limit_bytes, is_over)
        except BaseException:
            # an answer that comes too late may never be taken for the next item's
            self.close()
            raise
        if is_last:
            self.close()
        return answer


@dataclass
class _Request:
    """What is being computed, and what it may take; `passed` says which limit it passed."""

    deadline_s: float
    timeout_s: float
    limit_bytes: float | None
    is_over: Callable[[], bool] | None
    passed: ChildError | None = None


class _Child:
    """A running child, behind its supervisor.

    A second thread watches the limits and ends the child where one is passed: neither sending nor
    receiving can block for longer, whatever the child does.
    """

    def __init__(self) -> None:
        self._owner_pid = os.getpid()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - what the child prints; closed in end
        fcntl.fcntl(self._words, fcntl.F_SETFL, os.O_APPEND)
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            command = [sys.executable, "-P", "-m", "molloop.sandbox.supervisor"]
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(os.getpid())],
                env=os.environ | ONE_THREAD,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
            )
        self._pid: int | None = None  # of the child, which says so first
        self._task: Task[Any, Any] | None = None  # that the child was told last
        self._request: _Request | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        try:
            threading.Thread(target=self._watch, daemon=True).start()
        except RuntimeError as error:  # what it says where there may be no other thread
            self.end()
            raise OSError(errno.EAGAIN, str(error)) from error

    def knows(self, task: Task[Any, Any]) -> bool:
        """Whether the child was told a task last, and has imported what that needs."""
        return task is self._task

    def answers(self) -> bool:
        """Whether the child waits for a request: nothing was sent, and its end is not closed."""
        return not select.select([self._channel.connection], [], [], 0)[0]

    def ask(
        self,
        task: Task[Any, Any],
        items: tuple[object, ...],
        timeout_s: float,
        limit_bytes: float | None,
        is_over: Callable[[], bool] | None,
    ) -> Any:
        """Send a request; return its answer, and whether the child wants to be replaced.

        Raises
        ------
        ChildError
        """
        self._forget_words(0)
        message = pickle.dumps((None if self.knows(task) else task, items))
        self._task = task
        request = _Request(time.monotonic() + timeout_s, timeout_s, limit_bytes, is_over)
        self._request = request
        content = b""
        nonce = new_nonce()
        try:
            if self._pid is None:
                self._pid = self._channel.receive(nonce=NO_NONCE).sender
            self._channel.send(nonce, message)
            content = self._channel.receive(self._pid, nonce).content
        except (OSError, EOFError, FrameError) as error:
            if self._limit_passed(request) is None:
                is_frame = isinstance(error, FrameError)
                reason = str(error) if is_frame else self._how_it_ended()
                raise ChildError("crash", reason) from error
        if (passed := self._limit_passed(request)) is not None:
            raise passed
        try:
            answer, is_last = pickle.loads(content)
        except Exception as error:  # garbage may raise anything when it is unpickled
            raise ChildError("crash", "gave no answer that can be read") from error
        return answer, is_last

    def end(self) -> None:
        """End the child and all its descendants; a forked copy of this object leaves them alone."""
        if self._owner_pid != os.getpid():
            return
        self._ended.set()
        self._stop()
        self._channel.close()
        with self._lock:
            self._words.close()

    def _forget_words(self, most_bytes: int) -> None:
        """Keep nothing of what the child has printed where that is more than so much."""
        if os.fstat(self._words.fileno()).st_size > most_bytes:
            os.ftruncate(self._words.fileno(), 0)

    def _limit_passed(self, request: _Request) -> ChildError | None:
        """Have a request watched no longer; return which limit it has passed."""
        with self._lock:
            self._request = None
            return request.passed

    def _watch(self) -> None:
        looked_s = asked_s = time.monotonic()
        while not self._ended.wait(POLL_S):
            now_s = time.monotonic()
            looks = now_s >= looked_s + MEMORY_POLL_S
            looked_s = now_s if looks else looked_s
            request = self._request
            is_over = False
            if request is not None and request.is_over and now_s >= asked_s + HALT_POLL_S:
                asked_s = now_s
                is_over = request.is_over()  # not with the lock: a file system may take long
            with self._lock:
                if self._ended.is_set():
                    return
                self._forget_words(LARGEST_OUTPUT_BYTES)
                if request is None or request is not self._request:
                    continue
                if now_s >= request.deadline_s:
                    reason = f"took longer than {request.timeout_s:g} s"
                    request.passed = ChildError("timeout", reason)
                elif (
                    looks
                    and request.limit_bytes
                    and family_memory_bytes(self._process.pid) > request.limit_bytes
                ):
                    reason = f"took more memory than {request.limit_bytes / GIB:g} GiB"
                    request.passed = ChildError("memory", reason)
                elif is_over:
                    request.passed = ChildError(HALTED, "was told to end")
                if request.passed:
                    self._stop()
                    return

    def _stop(self) -> None:
        """Have the supervisor kill everything, and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: it ends some time
                self._process.wait(END_TIMEOUT_S)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return "does not answer"
        size = os.fstat(self._words.fileno()).st_size
        tail = os.pread(self._words.fileno(), N_LAST_WORDS, max(0, size - N_LAST_WORDS))
        words = tail.decode(errors="replace").strip()
        how = f"exited with {code}"
        with suppress(ValueError):
            how = f"was ended by {signal.Signals(code - 128).name}"
        return f"{how}; its last words: {words}" if words else how

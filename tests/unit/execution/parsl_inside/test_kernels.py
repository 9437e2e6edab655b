"""Parsl's channel of commands, where an answer comes too late."""

import threading
import time
from types import SimpleNamespace

import pytest
import zmq
from parsl.executors.high_throughput.zmq_pipes import CommandClient

from molloop.errors import EngineError
from molloop.execution.parsl_inside import kernels


def test_a_late_answer_is_dropped_and_the_next_question_is_answered(monkeypatch):
    monkeypatch.setattr(kernels, "SOCKET_TIMEOUT_MS", 300)
    client = CommandClient("127.0.0.1", (50000, 60000))
    context = zmq.Context()

    def answer():
        with context.socket(zmq.REP) as server:
            server.connect(f"tcp://127.0.0.1:{client.port}")
            for number in range(4):
                server.recv_pyobj()
                time.sleep(0.6 if number == 1 else 0.0)
                server.send_pyobj(number)

    thread = threading.Thread(target=answer)
    thread.start()
    with context.socket(zmq.PUSH) as outgoing:
        kernels.limit_waits(
            SimpleNamespace(outgoing_q=SimpleNamespace(zmq_socket=outgoing), command_client=client)
        )
    assert client.run("MANAGERS") == 0
    with pytest.raises(zmq.Again):
        client.run("MANAGERS")
    time.sleep(0.5)
    assert client.run("MANAGERS") == 2
    assert client.run("MANAGERS") == 3
    thread.join()
    client.close()
    context.term()


def test_a_question_that_is_on_its_way_is_waited_for(monkeypatch):
    monkeypatch.setattr(kernels, "SOCKET_TIMEOUT_MS", 100)
    client = SimpleNamespace(_lock=threading.Lock())
    with client._lock, pytest.raises(EngineError, match="gives no answer"):
        kernels.limit_waits(SimpleNamespace(command_client=client, run_dir="/logs"))

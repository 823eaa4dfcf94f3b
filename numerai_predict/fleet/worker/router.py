"""The worker's way in and out: frames from the agent to supervisors and back, unread.

It starts the zygote before anything is imported, stays small, and hands it nothing but
descriptors: what models answer is never in a process that others are forked from.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field
from typing import Any, NoReturn

from numerai_predict.fleet.worker import messages
from numerai_predict.resources.memory import resident_bytes
from numerai_predict.runner.protocol import Frame, FrameReader, MalformedFrame, encode

_CHUNK_BYTES = 1024 * 1024


def main() -> NoReturn:
    """Serve the agent on standard input and output until it closes them."""
    requests, answers = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)  # whoever prints must not break the frames
    reader = FrameReader()
    start, *early = _first(requests, reader)
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        for descriptor in (requests, answers, empty):
            os.close(descriptor)
        ours.close()
        # Its imports are the worker's memory: none of them is made before the fork.
        from numerai_predict.fleet.worker import zygote

        zygote.main(theirs, messages.StartRequest(**start.facts))
    theirs.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the agent's to handle
    _Router(requests, answers, ours, reader, pid).serve(early)
    ours.close()
    os.waitpid(pid, 0)
    sys.exit(0)


def _first(requests: int, reader: FrameReader) -> list[Frame]:
    frames: list[Frame] = []
    while not frames:
        chunk = os.read(requests, _CHUNK_BYTES)
        if not chunk:
            sys.exit(0)
        frames = reader.feed(chunk)
    return frames


@dataclass
class _ActiveRun:
    """A running model's supervisor: the pipe of its answers, and what came by it."""

    run: int
    frames: FrameReader = field(default_factory=FrameReader)
    done: bool = False


class _Router:
    def __init__(
        self,
        requests: int,
        answers: int,
        control: socket.socket,
        reader: FrameReader,
        zygote: int,
    ) -> None:
        self._zygote = zygote
        self._requests = requests
        self._answers = answers
        self._control = control
        self._from_agent = reader
        self._from_zygote = FrameReader()
        self._talks: dict[int, _ActiveRun] = {}
        self._selector = selectors.DefaultSelector()
        for source in (requests, control.fileno()):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self, early: list[Frame]) -> None:
        """Until the agent, or the zygote, is gone."""
        for frame in early:
            self._take(frame)
        while True:
            for key, _ in self._selector.select():
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if key.fd == self._requests:
                    if not chunk:
                        return
                    for frame in self._from_agent.feed(chunk):
                        self._take(frame)
                elif key.fd == self._control.fileno():
                    if not chunk:
                        return
                    for frame in self._from_zygote.feed(chunk):
                        self._send(frame)
                else:
                    self._hear(key.fd, chunk)

    def _take(self, frame: Frame) -> None:
        if frame.kind == messages.PING:
            self._send(Frame(messages.PONG, frame.facts))
            return
        request_end, request = os.pipe()
        answer, answer_end = os.pipe()
        socket.send_fds(self._control, [b"s"], [request_end, answer_end])
        os.close(request_end)
        os.close(answer_end)
        run = frame.facts.pop("run")
        try:
            os.write(request, json.dumps(frame.facts).encode())
        finally:
            os.close(request)
        self._talks[answer] = _ActiveRun(run)
        self._selector.register(answer, selectors.EVENT_READ)

    def _hear(self, descriptor: int, chunk: bytes) -> None:
        talk = self._talks[descriptor]
        try:
            for frame in talk.frames.feed(chunk):
                if frame.kind == messages.DONE:
                    talk.done = True
                    frame.facts["worker_bytes"] = resident_bytes([self._zygote])
                self._send_of(talk, frame.kind, frame.facts, frame.payload)
        except MalformedFrame:
            chunk = b""
        if chunk:
            return
        if not talk.done:
            self._send_of(talk, messages.LOST, {}, b"")
        self._selector.unregister(descriptor)
        os.close(descriptor)
        del self._talks[descriptor]

    def _send_of(self, talk: _ActiveRun, kind: str, facts: dict[str, Any], payload: bytes) -> None:
        self._send(Frame(kind, {"run": talk.run, **facts}, payload))

    def _send(self, frame: Frame) -> None:
        data = memoryview(encode(frame))
        while data:
            data = data[os.write(self._answers, data) :]

"""Routes frames between the worker actor and the supervisors of a worker, without reading them.

It starts the zygote before anything is imported, stays small, and hands it nothing but
descriptors: what models return is never in a process that others are forked from.
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

from numerai_predict.fleet.worker.messages import MessageKind, StartRequest
from numerai_predict.resources.memory import resident_bytes
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import Frame, FrameReader, write_frame

_CHUNK_BYTES = 1024 * 1024


def main() -> NoReturn:
    """Serve the actor on standard input and output until it closes them."""
    requests, responses = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)  # nothing that is printed may come between the frames
    reader = FrameReader()
    start, *early = _first_frames(requests, reader)
    own_end, zygote_end = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        for descriptor in (requests, responses, empty):
            os.close(descriptor)
        own_end.close()
        # Its imports are the worker's memory: none of them is made before the fork.
        from numerai_predict.fleet.worker import zygote

        zygote.main(zygote_end, StartRequest(**start.content))
    zygote_end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator handles Ctrl-C
    _Router(requests, responses, own_end, reader, pid).serve(early)
    own_end.close()
    os.waitpid(pid, 0)
    sys.exit(0)


def _first_frames(requests: int, reader: FrameReader) -> list[Frame]:
    frames: list[Frame] = []
    while not frames:
        chunk = os.read(requests, _CHUNK_BYTES)
        if not chunk:
            sys.exit(0)
        frames = reader.feed(chunk)
    return frames


@dataclass
class _ActiveRun:
    """The supervisor of a running model: the frames on its pipe, and whether it has finished."""

    number: int
    frames: FrameReader = field(default_factory=FrameReader)
    done: bool = False


class _Router:
    def __init__(
        self,
        requests: int,
        responses: int,
        control: socket.socket,
        reader: FrameReader,
        zygote: int,
    ) -> None:
        self._zygote = zygote
        self._requests = requests
        self._responses = responses
        self._control = control
        self._from_actor = reader
        self._from_zygote = FrameReader()
        self._runs: dict[int, _ActiveRun] = {}
        self._selector = selectors.DefaultSelector()
        for source in (requests, control.fileno()):
            self._selector.register(source, selectors.EVENT_READ)

    def serve(self, early: list[Frame]) -> None:
        """Route frames until the actor or the zygote is gone."""
        for frame in early:
            self._accept(frame)
        while True:
            for key, _ in self._selector.select():
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if key.fd == self._requests:
                    if not chunk:
                        return
                    for frame in self._from_actor.feed(chunk):
                        self._accept(frame)
                elif key.fd == self._control.fileno():
                    if not chunk:
                        return
                    for frame in self._from_zygote.feed(chunk):
                        write_frame(self._responses, frame)
                else:
                    self._forward(key.fd, chunk)

    def _accept(self, frame: Frame) -> None:
        """Answer a ping, or have the zygote fork a supervisor for a run."""
        if frame.kind == MessageKind.PING:
            write_frame(self._responses, Frame(MessageKind.PONG, frame.content))
            return
        request_end, request = os.pipe()
        response, response_end = os.pipe()
        socket.send_fds(self._control, [b"s"], [request_end, response_end])
        os.close(request_end)
        os.close(response_end)
        number = frame.content.pop("run")
        try:
            os.write(request, json.dumps(frame.content).encode())
        finally:
            os.close(request)
        self._runs[response] = _ActiveRun(number)
        self._selector.register(response, selectors.EVENT_READ)

    def _forward(self, descriptor: int, chunk: bytes) -> None:
        run = self._runs[descriptor]
        try:
            for frame in run.frames.feed(chunk):
                if frame.kind == MessageKind.DONE:
                    run.done = True
                    frame.content["worker_bytes"] = resident_bytes([self._zygote])
                self._send_for(run, frame.kind, frame.content, frame.payload)
        except MalformedFrame:
            chunk = b""
        if chunk:
            return
        if not run.done:
            self._send_for(run, MessageKind.LOST, {}, b"")
        self._selector.unregister(descriptor)
        os.close(descriptor)
        del self._runs[descriptor]

    def _send_for(
        self, run: _ActiveRun, kind: str, content: dict[str, Any], payload: bytes
    ) -> None:
        frame = Frame(kind, {"run": run.number, **content}, payload)
        write_frame(self._responses, frame)

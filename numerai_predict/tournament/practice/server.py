"""The practice server's process: started beside everything else, it goes on by itself.

`server.json` in its folder tells where it is; it appears when the server answers and
goes when it ends. Whoever was killed leaves one that names no living server.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from types import FrameType

from numerai_predict.data.sample_shape import SampleShape
from numerai_predict.storage.files import atomic_write
from numerai_predict.tournament.practice.defaults import DEFAULT_PORT
from numerai_predict.tournament.practice.schedule import next_round
from numerai_predict.tournament.practice.service import PracticeService

RUNNING_FILE = "server.json"
KEYS_FILE = "practice.env"
ACCOUNT = "practice"
HOST = "127.0.0.1"

_AFTER_OPENING = timedelta(minutes=1)


@dataclass(frozen=True)
class RunningServer:
    """A server that answers: `control` is the password of its controls."""

    pid: int
    url: str
    control: str


@dataclass(frozen=True)
class ServerSetup:
    """What a start makes sure of: models, an open round, the data's shape where there is none."""

    folder: Path
    port: int | None
    models: tuple[str, ...]
    open_round: bool
    shape: SampleShape | None


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("setup", help="the setup as JSON")
    facts = json.loads(parser.parse_args(argv).setup)
    shape = SampleShape(**facts["shape"]) if facts["shape"] else None
    setup = ServerSetup(
        Path(facts["folder"]), facts["port"], tuple(facts["models"]), facts["open_round"], shape
    )
    run_server(setup)
    return 0


def setup_as_json(setup: ServerSetup) -> str:
    """The argument of the server's process."""
    return json.dumps({**asdict(setup), "folder": str(setup.folder)})


def run_server(setup: ServerSetup) -> None:
    """Open the tournament of the folder, make what is missing, and answer.

    Raises:
        OSError: the port is taken, or the folder cannot be written to.
    """
    import uvicorn

    from numerai_predict.tournament.practice.app import make_app
    from numerai_predict.tournament.practice.pickle_validation import (
        PENDING,
        RUNNING,
        start_validation,
    )

    with _listen(setup.port) as listening:
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        practice = PracticeService.open(setup.folder, url, setup.shape)
        _prepare(practice, setup)
        for each in practice.store.rows(
            "SELECT id FROM pickles WHERE status IN (?, ?)", PENDING, RUNNING
        ):
            start_validation(practice, each["id"])
        control = secrets.token_hex(16)
        running = RunningServer(os.getpid(), url, control)
        config = uvicorn.Config(
            make_app(practice, control), log_level="warning", access_log=False, lifespan="off"
        )
        path = setup.folder / RUNNING_FILE
        _write_private(path, json.dumps(asdict(running)))
        # uvicorn ends at a signal, then hands it on to whoever had it before: not to the
        # default, which would end us before we have cleared up.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ended)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            path.unlink(missing_ok=True)
            practice.store.close()


def _listen(port: int | None) -> socket.socket:
    """A socket at the port; where none is asked for, the usual one, or any if that is taken."""
    if port is not None:
        return socket.create_server((HOST, port))
    try:
        return socket.create_server((HOST, DEFAULT_PORT))
    except OSError:
        return socket.create_server((HOST, 0))


def _ended(_number: int, _frame: FrameType | None) -> None:
    """Nothing is left to do."""


def _prepare(practice: PracticeService, setup: ServerSetup) -> None:
    """An account with a key and models, and a round that is open."""
    inserted = practice.now().isoformat()
    account = practice.store.add_account(ACCOUNT, inserted)
    for name in setup.models:
        practice.store.add_model(account, name)
    path = setup.folder / KEYS_FILE
    if not path.is_file():
        public_id, secret = practice.store.add_key(account, "practice")
        write_keys(path, practice.url, public_id, secret)
    else:
        _point_at(path, practice.url)
    now = practice.now()
    if setup.open_round and not practice.current_round().is_open(now):
        practice.set_clock(next_round(now).opens + _AFTER_OPENING)


def write_keys(path: Path, url: str, public_id: str, secret: str) -> None:
    """A file of variables for a shell and for `NUMERAI_KEYS_FILE`; nobody else may read it."""
    lines = [f"NUMERAI_API_URL={url}", f"NUMERAI_PUBLIC_ID={public_id}"]
    _write_private(path, "\n".join([*lines, f"NUMERAI_SECRET_KEY={secret}", ""]))


def _point_at(path: Path, url: str) -> None:
    kept = [line for line in path.read_text().splitlines() if not line.startswith("NUMERAI_API")]
    _write_private(path, "\n".join([f"NUMERAI_API_URL={url}", *kept, ""]))


def _write_private(path: Path, text: str) -> None:
    before = os.umask(0o077)
    try:
        with atomic_write(path) as handle:
            handle.write(text.encode())
    finally:
        os.umask(before)


if __name__ == "__main__":
    sys.exit(main())

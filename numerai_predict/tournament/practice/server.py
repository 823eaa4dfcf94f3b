"""The process of the practice server, which runs in the background.

`server.json` in its directory has its address. It is written when the server is ready and removed
when the server ends; a killed server leaves one that is out of date.
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
    """A running server; `control` is the password of its controls."""

    pid: int
    url: str
    control: str


@dataclass(frozen=True)
class ServerSetup:
    """What a start ensures: models, an open round; `shape` is that of new data."""

    folder: Path
    port: int | None
    models: tuple[str, ...]
    open_round: bool
    shape: SampleShape | None


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("setup", help="the setup as JSON")
    run_server(_parse_setup(parser.parse_args(argv).setup))
    return 0


def _parse_setup(text: str) -> ServerSetup:
    document = json.loads(text)
    shape = SampleShape(**document["shape"]) if document["shape"] else None
    return ServerSetup(
        Path(document["folder"]),
        document["port"],
        tuple(document["models"]),
        document["open_round"],
        shape,
    )


def setup_as_json(setup: ServerSetup) -> str:
    """The setup as the argument of the server's process."""
    return json.dumps({**asdict(setup), "folder": str(setup.folder)})


def run_server(setup: ServerSetup) -> None:
    """Open the practice tournament of the directory and serve it until a signal.

    Raises:
        OSError: the port is in use, or the directory cannot be written to.
    """
    import uvicorn

    from numerai_predict.tournament.practice.app import make_app

    with _listen(setup.port) as listening:
        url = f"http://{HOST}:{listening.getsockname()[1]}"
        practice = PracticeService.open(setup.folder, url, setup.shape)
        _prepare(practice, setup)
        _resume_validations(practice)
        control = secrets.token_hex(16)
        running = RunningServer(os.getpid(), url, control)
        config = uvicorn.Config(
            make_app(practice, control), log_level="warning", access_log=False, lifespan="off"
        )
        path = setup.folder / RUNNING_FILE
        _write_private(path, json.dumps(asdict(running)))
        # uvicorn raises the signal again after its shutdown: the default handler would end this
        # process before the cleanup below.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ignore_signal)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            path.unlink(missing_ok=True)
            practice.store.close()


def _listen(port: int | None) -> socket.socket:
    """A socket at the port; by default the usual one, or any if that is in use."""
    if port is not None:
        return socket.create_server((HOST, port))
    try:
        return socket.create_server((HOST, DEFAULT_PORT))
    except OSError:
        return socket.create_server((HOST, 0))


def _ignore_signal(_number: int, _frame: FrameType | None) -> None:
    """Uvicorn has shut down already."""


def _resume_validations(practice: PracticeService) -> None:
    """Restart the validations that an earlier process of the server did not finish."""
    from numerai_predict.tournament.practice.pickle_validation import (
        PickleStatus,
        start_validation,
    )

    for each in practice.store.rows(
        "SELECT id FROM pickles WHERE status IN (?, ?)",
        PickleStatus.PENDING.value,
        PickleStatus.RUNNING.value,
    ):
        start_validation(practice, each["id"])


def _prepare(practice: PracticeService, setup: ServerSetup) -> None:
    """Create an account with a key and models, and open a round."""
    inserted = practice.now().isoformat()
    account = practice.store.add_account(ACCOUNT, inserted)
    for name in setup.models:
        practice.store.add_model(account, name)
    path = setup.folder / KEYS_FILE
    if not path.is_file():
        public_id, secret = practice.store.add_key(account, "practice")
        write_keys(path, practice.url, public_id, secret)
    else:
        _update_url(path, practice.url)
    now = practice.now()
    if setup.open_round and not practice.current_round().is_open(now):
        practice.set_clock(next_round(now).opens + _AFTER_OPENING)


def write_keys(path: Path, url: str, public_id: str, secret: str) -> None:
    """Write the keys as variables for a shell and for `NUMERAI_KEYS_FILE`, private."""
    lines = [f"NUMERAI_API_URL={url}", f"NUMERAI_PUBLIC_ID={public_id}"]
    _write_private(path, "\n".join([*lines, f"NUMERAI_SECRET_KEY={secret}", ""]))


def _update_url(path: Path, url: str) -> None:
    kept = [line for line in path.read_text().splitlines() if not line.startswith("NUMERAI_API")]
    _write_private(path, "\n".join([f"NUMERAI_API_URL={url}", *kept, ""]))


def _write_private(path: Path, text: str) -> None:
    previous = os.umask(0o077)
    try:
        with atomic_write(path) as handle:
            handle.write(text.encode())
    finally:
        os.umask(previous)


if __name__ == "__main__":
    sys.exit(main())

"""Starting, stopping and driving the practice server from another process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.tournament.practice.server import (
    RUNNING_FILE,
    RunningServer,
    ServerSetup,
    setup_as_json,
)

LOG_FILE = "server.log"

_POLL_SECONDS = 0.1
_PATIENCE_SECONDS = 10.0
_SERVER = "numerai_predict.tournament.practice.server"
_HEADER = "X-Practice-Control"


def find_server(folder: Path) -> RunningServer | None:
    """The server of the folder, if one answers."""
    try:
        found = RunningServer(**json.loads((folder / RUNNING_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    try:
        return found if _ask(found, "GET", "status")["pid"] == found.pid else None
    except TournamentUnavailable:
        return None


def start_server(setup: ServerSetup, deadline: Deadline) -> RunningServer:
    """The server of the setup's folder, started if none answers.

    Raises:
        TournamentUnavailable: it ended before it answered; the message holds its last words.
        DeadlinePassed: it took too long.
    """
    if found := find_server(setup.folder):
        return found
    setup.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = setup.folder / LOG_FILE
    with open(log, "wb") as words:
        process = subprocess.Popen(
            [sys.executable, "-m", _SERVER, setup_as_json(setup)],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    try:
        while (found := find_server(setup.folder)) is None:
            if process.poll() is not None:
                raise TournamentUnavailable(
                    f"expected a practice tournament, found that it ended: {_last_line(log)}",
                    "choose another --port or --state-dir, or look at " + str(log),
                )
            time.sleep(deadline.wait(_POLL_SECONDS, "start"))
    except BaseException:
        process.terminate()
        process.wait()
        raise
    # It is meant to outlive us: nobody waits for it, and no warning is due.
    process.returncode = 0
    return found


def stop_server(folder: Path, deadline: Deadline) -> bool:
    """End the server of the folder; `False` if none was running.

    Raises:
        DeadlinePassed: it does not end.
    """
    found = find_server(folder)
    if found is None:
        (folder / RUNNING_FILE).unlink(missing_ok=True)
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    while (folder / RUNNING_FILE).exists() and _is_alive(found.pid):
        time.sleep(deadline.wait(_POLL_SECONDS, "stop"))
    (folder / RUNNING_FILE).unlink(missing_ok=True)
    return True


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def server_status(server: RunningServer) -> Mapping[str, Any]:
    """What the server tells of itself.

    Raises:
        TournamentUnavailable: it gives no answer.
    """
    return _ask(server, "GET", "status")


def set_clock(server: RunningServer, moment: datetime | None) -> Mapping[str, Any]:
    """Make it that time there now; `None` for the real time.

    Raises:
        TournamentUnavailable: it gives no answer.
    """
    return _ask(server, "POST", "clock", {"to": moment.isoformat() if moment else None})


def switch_fault(server: RunningServer, fault: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Switch a fault on, as `faults.Fault` has it, or all off.

    Raises:
        TournamentUnavailable: it gives no answer, or there is no such fault.
    """
    return _ask(server, "POST", "fault", {"fault": dict(fault) if fault else None})


def _ask(server: RunningServer, method: str, what: str, body: Any = None) -> dict[str, Any]:
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between us and this machine
            response = session.request(
                method,
                f"{server.url}/practice/{what}",
                json=body,
                headers={_HEADER: server.control},
                timeout=_PATIENCE_SECONDS,
            )
        answer = response.json()
        if response.status_code == 200 and isinstance(answer, dict):
            return answer
        found = str(answer.get("error", response.status_code))
    except (requests.RequestException, ValueError, AttributeError) as error:
        found = type(error).__name__
    raise TournamentUnavailable(
        f"expected an answer of the practice tournament, found: {found}",
        "start it with `numerai-predict practice start`",
    )


def _environment() -> dict[str, str]:
    """Ours, less whatever has to do with a real account."""
    kept = {name: word for name, word in os.environ.items() if not name.startswith("NUMERAI_")}
    root = str(Path(__file__).parents[3])
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH")]))}


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"

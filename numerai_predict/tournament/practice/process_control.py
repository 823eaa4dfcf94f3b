"""Starts, stops and controls the practice server from another process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from numerai_predict.contract.bootstrap import PACKAGE_ROOT
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
_TIMEOUT_SECONDS = 10.0
_SERVER = "numerai_predict.tournament.practice.server"
_HEADER = "X-Practice-Control"


def find_server(folder: Path) -> RunningServer | None:
    """The running server of the directory, if there is one."""
    try:
        found = RunningServer(**json.loads((folder / RUNNING_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    try:
        return found if _request(found, "GET", "status")["pid"] == found.pid else None
    except TournamentUnavailable:
        return None


def start_server(setup: ServerSetup, deadline: Deadline) -> RunningServer:
    """The running server of the setup's directory; started if there is none.

    Raises:
        TournamentUnavailable: it ended during its start; the message has its last output line.
        DeadlinePassed: it took too long.
    """
    if found := find_server(setup.folder):
        return found
    setup.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = setup.folder / LOG_FILE
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", _SERVER, setup_as_json(setup)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env=_environment(),
        )
    try:
        while (found := find_server(setup.folder)) is None:
            if process.poll() is not None:
                raise TournamentUnavailable(
                    f"expected a practice server, found that it ended: {_last_line(log)}",
                    f"choose another --port or --state-dir; its log is {log}",
                )
            time.sleep(deadline.wait(_POLL_SECONDS, "start"))
    except BaseException:
        process.terminate()
        process.wait()
        raise
    # The server outlives this process: without this, Popen warns that it still runs.
    process.returncode = 0
    return found


def stop_server(folder: Path, deadline: Deadline) -> bool:
    """Stop the server of the directory; `False` if none was running.

    Raises:
        DeadlinePassed: it did not end in time.
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
    """The state of the server.

    Raises:
        TournamentUnavailable: it does not respond.
    """
    return _request(server, "GET", "status")


def set_clock(server: RunningServer, moment: datetime | None) -> Mapping[str, Any]:
    """Set the server's clock; `None` for the real time. Returns the state of the server.

    Raises:
        TournamentUnavailable: it does not respond.
    """
    return _request(server, "POST", "clock", {"to": moment.isoformat() if moment else None})


def switch_fault(server: RunningServer, fault: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Activate a fault by the fields of `faults.Fault`; `None` deactivates it.

    Returns the state of the server.

    Raises:
        TournamentUnavailable: it does not respond, or there is no such fault.
    """
    return _request(server, "POST", "fault", {"fault": dict(fault) if fault else None})


def set_stakes(server: RunningServer, models: Sequence[str], nmr: float) -> Mapping[str, Any]:
    """Set the stake of models by name. Returns the state of the server.

    Raises:
        TournamentUnavailable: it does not respond, or there is no such model.
    """
    return _request(server, "POST", "stake", {"models": list(models), "nmr": nmr})


def _request(server: RunningServer, method: str, control: str, body: Any = None) -> dict[str, Any]:
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy for a server on this machine
            response = session.request(
                method,
                f"{server.url}/practice/{control}",
                json=body,
                headers={_HEADER: server.control},
                timeout=_TIMEOUT_SECONDS,
            )
        document = response.json()
        if response.status_code == 200 and isinstance(document, dict):
            return document
        found = str(document.get("error", response.status_code))
    except (requests.RequestException, ValueError, AttributeError) as error:
        found = type(error).__name__
    raise TournamentUnavailable(
        f"expected a response of the practice server, found: {found}",
        "start it with `numerai-predict practice start`",
    )


def _environment() -> dict[str, str]:
    """This process's environment without the variables of a real account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NUMERAI_")}
    paths = filter(None, [str(PACKAGE_ROOT), kept.get("PYTHONPATH")])
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"

"""The report of a fleet run while it runs: written again from time to time, in a thread."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.report.html_report import write_report
from numerai_predict.runner.run_log import logger

INTERVAL_SECONDS = 5

# Writing takes at most this share of the time, however many models there are.
_MAX_SHARE = 0.1


class LiveReport:
    """Writes the report at most every 5 seconds. A context manager.

    At its end the report is written once more, so that the page stops to load itself again.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._next = 0.0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LiveReport:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.join()
            self._write(None)

    def update(self) -> None:
        """Begin to write the report, unless it was written just before or is being written."""
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + INTERVAL_SECONDS
        self._thread = threading.Thread(target=self._write, args=(INTERVAL_SECONDS,), daemon=True)
        self._thread.start()

    def _write(self, refresh_seconds: int | None) -> None:
        started = time.monotonic()
        try:
            with contextlib.closing(FleetLedger(self._directory)) as ledger:
                write_report(self._directory, ledger, refresh_seconds)
        except (OSError, sqlite3.Error) as error:
            logger.warning("failed to write the report: %s", error)
        ended = time.monotonic()
        self._next = max(self._next, ended + (ended - started) / _MAX_SHARE)

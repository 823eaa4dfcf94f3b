"""The progress of a transfer."""

from __future__ import annotations

from numerai_predict.contract.limits import format_clock, format_size
from numerai_predict.storage.progress_line import ProgressLine
from numerai_predict.storage.retry import TransferPolicy

_LINE_SECONDS = 5.0


class TransferProgress:
    """Shows bytes, share, speed and time left of one transfer."""

    def __init__(self, source: str, policy: TransferPolicy) -> None:
        self._source = source
        self._line = ProgressLine(policy.log, policy.terminal, _LINE_SECONDS)

    def update(self, received: int, total: int | None) -> None:
        """Show that `received` of `total` bytes have arrived; `None` for an unknown total."""
        if not self._line.due():
            return
        rate = received / self._line.elapsed
        share = received / total if total else None
        text = f"{self._source}: {format_size(received)}"
        if total and share:
            text += f" of {format_size(total)} ({share:.0%})"
        text += f", {format_size(rate)}/s"
        if total and rate:
            text += f", {format_clock(max(total - received, 0) / rate)} left"
        self._line.show(text, share)

    def end(self) -> None:
        """Remove the display."""
        self._line.end()

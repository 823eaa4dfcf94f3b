"""How far a transfer is."""

from __future__ import annotations

from numerai_predict.contract.limits import format_size
from numerai_predict.storage.progress_line import ProgressLine
from numerai_predict.storage.retry import TransferPolicy

_LINE_SECONDS = 5.0


class TransferProgress:
    """Tells of one transfer."""

    def __init__(self, source: str, policy: TransferPolicy) -> None:
        self._source = source
        self._ticker = ProgressLine(policy.log, policy.terminal, _LINE_SECONDS)

    def tell(self, received: int, total: int | None) -> None:
        """So many bytes are here, of so many where that is known."""
        if not self._ticker.due():
            return
        speed = f"{format_size(received / self._ticker.elapsed)}/s"
        share = received / total if total else None
        of = f" of {format_size(total)} ({share:.0%})" if total and share is not None else ""
        self._ticker.show(f"{self._source}: {format_size(received)}{of}, {speed}", share)

    def end(self) -> None:
        """The transfer is over: what comes next is another line."""
        self._ticker.end()

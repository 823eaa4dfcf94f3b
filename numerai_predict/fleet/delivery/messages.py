"""Requests of the coordinator to the delivery process, one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.record import Record

# Held by the delivery process; the name is older than the word.
LOCK_FILE = ".courier.lock"


@dataclass(frozen=True)
class DeliveryTicket:
    """What must still hold in the ledger when a delivery begins.

    Attributes:
        run: the fleet run that asked for it.
        key: the key of the result, as text.
        delivery: the `delivery_id` of these predictions at their destination.
    """

    run: str
    key: str
    delivery: str


@dataclass(frozen=True)
class DeliveryRequest:
    """Predictions to upload; `seconds_left` is the time to the deadline, `None` without one."""

    model_id: str
    path: Path
    post: PresignedPost
    seconds_left: float | None
    record: Record
    ticket: DeliveryTicket

    def to_json(self) -> str:
        """The request as a line of JSON, without the newline."""
        return json.dumps(
            {
                "id": self.model_id,
                "path": str(self.path),
                "url": self.post.url,
                "fields": self.post.fields,
                "seconds_left": self.seconds_left,
                "record": asdict(self.record),
                "ticket": asdict(self.ticket),
            }
        )

    @classmethod
    def from_json(cls, line: str) -> DeliveryRequest:
        """The request that `to_json` made."""
        content = json.loads(line)
        return cls(
            content["id"],
            Path(content["path"]),
            PresignedPost(content["url"], tuple(map(tuple, content["fields"]))),
            content["seconds_left"],
            Record.from_dict(content["record"]),
            DeliveryTicket(**content["ticket"]),
        )

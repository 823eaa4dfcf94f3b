"""The states of a model in a fleet run."""

from __future__ import annotations

from enum import Enum


class ModelState(str, Enum):
    """What happened last to a model; the values are stored in the ledger.

    A model that was `SENT` is being uploaded. A model that was `LOST` ran in a worker that
    crashed: it is queued again, or fails.
    """

    QUEUED = "queued"
    INSPECTED = "inspected"
    RUNNING = "running"
    PREDICTED = "predicted"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    LOST = "lost"

    @property
    def has_result(self) -> bool:
        """Whether the model has predictions, delivered or not, or has failed."""
        return self in (ModelState.PREDICTED, ModelState.SENT) or self.is_final

    @property
    def is_final(self) -> bool:
        """Whether nothing more is done for the model, unless the user retries a failed one."""
        return self in (ModelState.DELIVERED, ModelState.FAILED)

"""Errors that stop a fleet run; a model's own failure is part of its result record instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_MAX_PROBLEMS = 20


class FleetError(Exception):
    """A fleet run cannot start or continue; the message says why and what to do."""


class DirectoryInUse(FleetError):
    """Another fleet run uses the output directory."""


class NoCapacity(FleetError):
    """No node can run a worker that a model needs."""


class DataChanged(FleetError):
    """A file of data was replaced during the fleet run."""

    def __init__(self, what: str, path: Path) -> None:
        super().__init__(
            f"expected the {what} {path} to stay as they were at the start of this fleet run, "
            "found other bytes there: its results are those of the old file; start the same "
            "command again to run the models with the new one"
        )


class DeliveryProcessFailed(FleetError):
    """The delivery process crashed more often than the restart limit allows."""


class InvalidManifest(Exception):
    """The problems of a manifest, one line for each row."""

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:_MAX_PROBLEMS])
        if more := len(problems) - len(shown):
            shown.append(f"... and {more} more")
        super().__init__("\n".join(shown))

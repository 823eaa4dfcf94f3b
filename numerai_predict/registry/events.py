"""Events of a model: what was done, when, by whom and why. They are never changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from numerai_predict.contract.foreign_text import one_line

_FORM = 1
_MAX_REASON = 500
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class EventKind(Enum):
    """What an event did; the values are those of the files."""

    ADDED = "added"
    ALIASED = "aliased"
    ROLLED_BACK = "rolled back"
    TAGGED = "tagged"
    REMOVED = "removed"


@dataclass(frozen=True)
class StoredFile:
    """A file of a version: its hash names its object."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class RegistryEvent:
    """An event of a model's history.

    `number` counts the events of the model from 1. `id` is random: a writer recognises its own
    event by it. `alias` is that of `ALIASED` and `ROLLED_BACK`,
    `files` and `facts` those of `ADDED`, `tags` those of `TAGGED`.
    """

    number: int
    id: str
    kind: EventKind
    time: str
    user: str
    version: int
    alias: str | None = None
    reason: str | None = None
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> bytes:
        """The event as one JSON object."""
        return json.dumps({"form": _FORM, **self.as_dict()}, indent=1).encode()

    def as_dict(self) -> dict[str, Any]:
        """The event as values of JSON."""
        return {**asdict(self), "kind": self.kind.value}


def parse_event(content: bytes) -> RegistryEvent:
    """The event in a file.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(content)
        files = {_file_name(name): _stored(each) for name, each in found["files"].items()}
        return RegistryEvent(
            number=int(found["number"]),
            id=str(found["id"]),
            kind=EventKind(found["kind"]),
            time=str(found["time"]),
            user=str(found["user"]),
            version=int(found["version"]),
            alias=found["alias"],
            reason=found["reason"],
            files=files,
            facts=dict(found["facts"]),
            tags=dict(found["tags"]),
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"expected an event, found {one_line(error, _MAX_REASON)}") from None


def _file_name(text: str) -> str:
    """A name without a directory: an event may come from a directory that others write to."""
    if not _FILE_NAME.fullmatch(text):
        raise ValueError(f"expected the name of a file, found {one_line(text, _MAX_REASON)!r}")
    return text


def _stored(entry: Mapping[str, Any]) -> StoredFile:
    sha256 = str(entry["sha256"])
    if not _SHA256.fullmatch(sha256):
        raise ValueError(f"expected a SHA-256, found {one_line(sha256, _MAX_REASON)!r}")
    return StoredFile(sha256, int(entry["bytes"]))

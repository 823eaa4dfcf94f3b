"""Groups failures with similar messages: one cause often makes many models fail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numerai_predict.contract.brief_text import brief
from numerai_predict.fleet.ledger_rows import Row

# What differs between messages of one cause: quoted names, paths, numbers and hashes.
_DIFFERING = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\S*/\S+|\b[0-9a-f]{8,}\b|\d[\d.,:]*")
_COMPARED_CHARACTERS = 120


@dataclass(frozen=True)
class FailureGroup:
    """Failed models of one verdict whose messages differ in names and numbers only."""

    verdict: str
    rows: Sequence[Row]

    @property
    def message(self) -> str:
        """The message of the first model."""
        return short_message(self.rows[0])


def group_failures(failed: Iterable[Row]) -> list[FailureGroup]:
    """The groups, largest first."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in failed:
        pattern = _DIFFERING.sub("*", short_message(row))[:_COMPARED_CHARACTERS]
        found.setdefault((row.status, pattern), []).append(row)
    groups = [FailureGroup(verdict, rows) for (verdict, _), rows in found.items()]
    return sorted(groups, key=lambda group: (-len(group.rows), group.verdict, group.rows[0].id))


def short_message(row: Row) -> str:
    """The first line of a model's message, cut: the record has all of it."""
    return brief((row.message or "").partition("\n")[0])

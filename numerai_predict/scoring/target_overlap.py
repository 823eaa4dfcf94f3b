"""How many neighbouring eras share the time of a target: they are not independent."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from numerai_predict.scoring.overlap_estimate import OverlapEstimate, OverlapFinding

_DAYS_SUFFIX = re.compile(r"_(\d{1,3})$")
_MAIN_TARGET, _MAIN_TARGET_DAYS = "target", 20  # the tournament's main target
# The horizons of the tournament's targets. Names that end in other numbers may mean anything.
HORIZONS = (20, 60)
# Eras assumed to overlap if the horizon of a target is unknown: 60 days, the longest horizon.
UNKNOWN_OVERLAP = 12
_DAYS_PER_ERA = 5  # one era per week of five trading days


def target_days(target: str) -> int | None:
    """The trading days that a target looks ahead, from its name; `None` if it has none."""
    if target == _MAIN_TARGET:
        return _MAIN_TARGET_DAYS
    match = _DAYS_SUFFIX.search(target)
    return int(match[1]) if match else None


def overlap_of_days(days: int) -> int:
    """The number of neighbouring eras that share time, itself included: 20 days are 4 eras."""
    return max(1, math.ceil(days / _DAYS_PER_ERA))


class OverlapSource(str, Enum):
    """What the number of overlapping eras of a target comes from."""

    NAME = "name"
    SETTING = "setting"
    DATA = "data"
    LONGEST_HORIZON = "longest horizon"


@dataclass(frozen=True)
class TargetOverlap:
    """How many neighbouring eras share the time of a target, itself included, and why so many."""

    target: str
    eras: int
    source: OverlapSource
    estimate: OverlapEstimate

    @property
    def is_guess(self) -> bool:
        """Whether neither the name nor a setting nor the data say how many."""
        return self.source is OverlapSource.LONGEST_HORIZON

    def as_entry(self) -> dict[str, int | str]:
        """How many neighbouring eras overlap, why, and in a sentence: as in reports."""
        return {"eras": self.eras, "source": self.source.value, "meaning": str(self)}

    def __str__(self) -> str:
        reasons = {
            OverlapSource.NAME: "by its name",
            OverlapSource.SETTING: "by the setting of its horizon",
            OverlapSource.DATA: "by the data, whatever its name or a setting says",
            OverlapSource.LONGEST_HORIZON: "as with the longest horizon of the tournament, because "
            "its own is unknown",
        }
        return (
            f"targets of {self.eras} neighbouring eras count as overlapping, {reasons[self.source]}"
            f"; {self.estimate}"
        )


def decide_overlap(
    target: str, estimate: OverlapEstimate, horizon_days: int | None = None
) -> TargetOverlap:
    """The overlap of a target: the larger one of what is known of it and of what its data show.

    Known is what the name says, if it ends in a horizon of the tournament (20 or 60), and
    `horizon_days`, a setting. If neither says anything, the data decide if they show an overlap;
    else it is that of the longest horizon, or of the days in the name if they are more.
    """
    named = target_days(target)
    known: list[tuple[int, OverlapSource]] = []
    if named in HORIZONS:
        known.append((overlap_of_days(named), OverlapSource.NAME))
    if horizon_days is not None:
        known.append((overlap_of_days(horizon_days), OverlapSource.SETTING))
    if estimate.finding is OverlapFinding.FOUND:
        shown = estimate.least if known else estimate.most
        known.append((shown, OverlapSource.DATA))
    elif not known:
        known.append((UNKNOWN_OVERLAP, OverlapSource.LONGEST_HORIZON))
    if named is not None and named not in HORIZONS:
        known.append((overlap_of_days(named), OverlapSource.NAME))
    eras, source = max(known, key=lambda each: each[0])
    return TargetOverlap(target, eras, source, estimate)


def overlapping_scores(eras: Sequence[str], overlap: int) -> int:
    """The most scores in succession whose targets share time, from 1 to `overlap`.

    `eras` are the names of the scored eras in order of time. With every fourth era and an overlap
    of 4 eras the scores are independent: 1. Names that are not numbers count as neighbours.
    """
    if not all(era.isdecimal() for era in eras):
        return min(overlap, max(1, len(eras)))
    numbers = [int(era) for era in eras]
    first, most = 0, 1
    for position, number in enumerate(numbers):
        while number - numbers[first] >= overlap:
            first += 1
        most = max(most, position - first + 1)
    return min(most, overlap)

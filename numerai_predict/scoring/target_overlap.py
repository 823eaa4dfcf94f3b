"""How many neighbouring eras share the time of a target: they are not independent."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_DAYS_SUFFIX = re.compile(r"_(\d{1,3})$")
_MAIN_TARGET, _MAIN_TARGET_DAYS = "target", 20  # the tournament's main target
# Eras assumed to overlap if the name of a target has no days: 60 days, the longest horizon.
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


def overlap_of_target(target: str) -> int:
    """The number of neighbouring eras whose targets share time, by the target's name."""
    days = target_days(target)
    return UNKNOWN_OVERLAP if days is None else overlap_of_days(days)


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

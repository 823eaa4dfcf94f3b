"""The embargo: eras dropped between two parts, because targets look several weeks ahead."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from numerai_predict.contract.training_errors import BadConfiguration

_DAYS_SUFFIX = re.compile(r"_(\d{1,3})$")
_MAIN_TARGET, _MAIN_TARGET_DAYS = "target", 20  # the tournament's main target
_DAYS_PER_ERA = 5  # one era per week of five trading days


def target_horizon_days(target: str, horizons: Mapping[str, int]) -> int:
    """The trading days that a target looks ahead, from `horizons` or from its name.

    Raises:
        BadConfiguration: neither has the number of days.
    """
    if target in horizons:
        return horizons[target]
    if target == _MAIN_TARGET:
        return _MAIN_TARGET_DAYS
    if match := _DAYS_SUFFIX.search(target):
        return int(match[1])
    raise BadConfiguration(
        f"expected a target whose name ends in its days, like target_ender_20, found {target}",
        f"set the number of trading days that it looks ahead: `horizons: {{{target}: 20}}`",
    )


def embargo_eras(targets: Iterable[str], horizons: Mapping[str, int]) -> int:
    """Eras to drop between two parts: the longest horizon in eras (20 days: 4, 60 days: 12).

    Raises:
        BadConfiguration: the horizon of a target is unknown.
    """
    return max(
        math.ceil(target_horizon_days(target, horizons) / _DAYS_PER_ERA) for target in targets
    )

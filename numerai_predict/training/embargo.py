"""How far a target looks ahead, and so how many eras must lie between two parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from numerai_predict.contract.training_errors import BadConfiguration

_ENDING = re.compile(r"_(\d{1,3})$")
_MAIN_TARGET, _PLAIN_DAYS = "target", 20  # the tournament's own target
_DAYS_AN_ERA = 5  # of trading, a week


def target_horizon_days(target: str, told: Mapping[str, int]) -> int:
    """The trading days that a target looks ahead: those told, or those that its name ends in.

    Raises:
        BadConfiguration: neither says it.
    """
    if target in told:
        return told[target]
    if target == _MAIN_TARGET:
        return _PLAIN_DAYS
    if ending := _ENDING.search(target):
        return int(ending[1])
    raise BadConfiguration(
        f"expected a target whose name ends in its days, like target_ender_20, found {target}",
        f"say how many trading days it looks ahead: `horizons: {{{target}: 20}}`",
    )


def embargo_eras(targets: Iterable[str], told: Mapping[str, int]) -> int:
    """Eras to leave out between two parts: 4 for 20 days, 12 for 60; the longest target counts.

    Raises:
        BadConfiguration: nothing says how far a target looks ahead.
    """
    return max(math.ceil(target_horizon_days(target, told) / _DAYS_AN_ERA) for target in targets)

"""The embargo: eras dropped between two parts, because targets look several weeks ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.scoring.target_overlap import overlap_of_days, target_days


def target_horizon_days(target: str, horizons: Mapping[str, int]) -> int:
    """The trading days that a target looks ahead, from `horizons` or from its name.

    Raises:
        BadConfiguration: neither has the number of days.
    """
    if target in horizons:
        return horizons[target]
    if days := target_days(target):
        return days
    raise BadConfiguration(
        f"expected a target whose name ends in its days, like target_ender_20, found {target}",
        f"set the number of trading days that it looks ahead: `horizons: {{{target}: 20}}`",
    )


def embargo_eras(targets: Iterable[str], horizons: Mapping[str, int]) -> int:
    """Eras to drop between two parts: the longest horizon in eras (20 days: 4, 60 days: 12).

    Raises:
        BadConfiguration: the horizon of a target is unknown.
    """
    return max(target_overlap(target, horizons) for target in targets)


def target_overlap(target: str, horizons: Mapping[str, int]) -> int:
    """The number of neighbouring eras whose targets share time (20 days: 4, 60 days: 12).

    Raises:
        BadConfiguration: the horizon of the target is unknown.
    """
    return overlap_of_days(target_horizon_days(target, horizons))

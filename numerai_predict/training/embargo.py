"""The embargo: eras dropped between two parts, because targets look several weeks ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.target_overlap import overlap_of_days, target_days

_REMEDY = (
    "leave `validation.purge_eras` out and set `horizons` to the trading days that the targets "
    "look ahead; or --force, if you know that their targets do not overlap"
)


def target_horizon_days(target: str, horizons: Mapping[str, int]) -> int:
    """The trading days that a target looks ahead: the longer of `horizons` and its name.

    Raises:
        BadConfiguration: neither has the number of days.
    """
    known = [days for days in (horizons.get(target), target_days(target)) if days]
    if known:
        return max(known)
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


def check_embargo(
    embargo: int,
    horizons: Mapping[str, int],
    estimates: Mapping[str, int | None],
    *,
    force: bool,
) -> None:
    """Require that an embargo is as long as names, settings and the data say.

    `estimates` are the overlaps that the data themselves show by target, `None` where they are too
    few to tell. With `force` the reasons against it are warnings.

    Raises:
        BadConfiguration: the embargo is too short, and nothing forces it.
    """
    reasons = list(_too_short(embargo, horizons, estimates))
    if not reasons:
        return
    if not force:
        raise BadConfiguration("; ".join(reasons), _REMEDY)
    for reason in reasons:
        log_step("warning", f"{reason}: the scores may be inflated")


def _too_short(
    embargo: int, horizons: Mapping[str, int], estimates: Mapping[str, int | None]
) -> Iterator[str]:
    for target, estimate in estimates.items():
        named, chosen = target_days(target), horizons.get(target)
        if named and chosen and chosen < named:
            yield (
                f"expected a horizon of at least {named} days for {target}, as its name says, "
                f"found {chosen}"
            )
        needed = target_overlap(target, horizons)
        if embargo < needed:
            yield (
                f"expected an embargo of at least {needed} eras, the horizon of {target}, "
                f"found {embargo}"
            )
        elif estimate is not None and embargo < estimate:
            yield (
                f"expected an embargo of at least {estimate} eras for {target}, as the data show: "
                f"targets of so many neighbouring eras move together, found {embargo}"
            )

"""The embargo: eras dropped between two parts, because targets look several weeks ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.overlap_estimate import OverlapEstimate, OverlapFinding
from numerai_predict.scoring.target_overlap import (
    OverlapSource,
    TargetOverlap,
    decide_overlap,
    overlap_of_days,
    target_days,
)

_REMEDY = (
    "leave `validation.purge_eras` out, choose `scheme: purged_kfold` in place of kfold, and set "
    "`horizons` to the trading days that the targets look ahead; or --force, if you know that "
    "their targets do not overlap"
)


def training_overlaps(
    targets: Iterable[str], horizons: Mapping[str, int], estimates: Mapping[str, OverlapEstimate]
) -> list[TargetOverlap]:
    """The overlap of each target; `estimates` are what the data show, by target.

    Raises:
        BadConfiguration: neither the name nor `horizons` has the number of days.
    """
    return [_overlap(target, horizons.get(target), estimates[target]) for target in targets]


def _overlap(target: str, setting: int | None, estimate: OverlapEstimate) -> TargetOverlap:
    if setting is None and target_days(target) is None:
        raise BadConfiguration(
            f"expected a target whose name ends in its days, like target_ender_20, found {target}",
            f"set the number of trading days that it looks ahead: `horizons: {{{target}: 20}}`",
        )
    return decide_overlap(target, estimate, setting)


def choose_embargo(
    setting: int | None,
    overlaps: Sequence[TargetOverlap],
    horizons: Mapping[str, int],
    *,
    force: bool,
) -> int:
    """The eras to drop between two parts: the setting, else the longest overlap of the targets.

    Warns where the number is longer than names and settings say, and where they are unproved. With
    `force` the reasons against a setting are warnings.

    Raises:
        BadConfiguration: a setting is shorter than the overlap of a target, and nothing forces it.
    """
    reasons = [reason for overlap in overlaps for reason in _too_short(setting, overlap, horizons)]
    if reasons and not force:
        raise BadConfiguration("; ".join(reasons), _REMEDY)
    for reason in reasons:
        log_step("warning", f"{reason}: the scores may be inflated")
    for overlap in overlaps:
        _explain(overlap, horizons)
    if setting is not None:
        return setting
    return max(_forced(each, horizons) if force else each.eras for each in overlaps)


def _forced(overlap: TargetOverlap, horizons: Mapping[str, int]) -> int:
    """The overlap that a setting forces, else that of the target."""
    days = horizons.get(overlap.target)
    return overlap.eras if days is None else overlap_of_days(days)


def _explain(overlap: TargetOverlap, horizons: Mapping[str, int]) -> None:
    """Log why the overlap is what it is; a warning where it is not what the user may expect."""
    if overlap.is_guess:
        log_step(
            "warning",
            f"{overlap.target}: {overlap}. Set the trading days that it looks ahead, if you know "
            f"them: `horizons: {{{overlap.target}: {target_days(overlap.target)}}}`",
        )
    elif overlap.source is OverlapSource.DATA:
        log_step("warning", f"{overlap.target}: {overlap}")
    elif overlap.source is OverlapSource.SETTING or overlap.target in horizons:
        log_step("plan", f"{overlap.target}: {overlap}")


def _too_short(
    embargo: int | None, overlap: TargetOverlap, horizons: Mapping[str, int]
) -> Iterator[str]:
    target, estimate = overlap.target, overlap.estimate
    named, chosen = target_days(target), horizons.get(target)
    if named and chosen and chosen < named:
        yield (
            f"expected a horizon of at least {named} days for {target}, as its name says, "
            f"found {chosen}"
        )
    given = embargo if embargo is not None else chosen and overlap_of_days(chosen)
    if given is None or given >= overlap.eras:
        return
    if estimate.finding is OverlapFinding.FOUND and overlap.source is OverlapSource.DATA:
        yield (
            f"expected an embargo of at least {overlap.eras} eras for {target}, as {estimate}, "
            f"found {given}"
        )
    elif embargo is not None:
        yield (
            f"expected an embargo of at least {overlap.eras} eras, the horizon of {target}, "
            f"found {embargo}"
        )

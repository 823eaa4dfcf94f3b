"""What a comparison supports, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from numerai_predict.contract.counting import counted
from numerai_predict.diagnostics.comparison import (
    PAYOUT,
    Judgement,
    ModelComparison,
    ScoreDifference,
)
from numerai_predict.diagnostics.report import distinct_names
from numerai_predict.pages.formats import format_interval, format_number

_MANY_ERAS = 1000


def conclude(comparison: ModelComparison) -> list[str]:
    """What the differences support, in sentences; the first one decides."""
    first, second = names_of(comparison)
    decisive = comparison.differences.get(comparison.decisive)
    if decisive is None or not decisive.difference.eras:
        return [f"{first} and {second} cannot be compared: no era has scores of both."]
    return [
        _verdict(comparison.decisive, decisive, first, second),
        *_reservations(comparison),
    ]


def names_of(comparison: ModelComparison) -> tuple[str, str]:
    """The names of both models; see `distinct_names`."""
    first, second = distinct_names([comparison.first.subject, comparison.second.subject])
    return first, second


def _verdict(score: str, found: ScoreDifference, first: str, second: str) -> str:
    label = score if score == PAYOUT else score_label(score)
    mean = format_number(found.difference.mean)
    interval = found.difference.mean_interval
    if interval is None:
        return (
            f"Cannot tell which is better: the eras are too few for an interval "
            f"({found.difference.without_interval})."
        )
    shown = f"mean difference of {label} {mean}, 95 % interval {format_interval(interval)}"
    if found.judgement is Judgement.BETTER:
        return f"{first} is better than {second}: {shown}."
    if found.judgement is Judgement.WORSE:
        return f"{first} is worse than {second}: {shown}."
    return f"Cannot tell which is better: {shown}.{_more_eras(found)}"


def _more_eras(found: ScoreDifference) -> str:
    eras = found.eras_to_decide
    if eras is None:
        return ""
    if eras > _MANY_ERAS:
        return f" If it stays so small, a decision needs more than {_MANY_ERAS:,} further eras."
    return f" If it stays as it is, a decision needs about {counted(eras, 'further era')}."


def _reservations(comparison: ModelComparison) -> Iterator[str]:
    if comparison.unknown:
        yield (
            "The training eras of at least one model are unknown: scores of eras that it was "
            "trained on would be inflated."
        )
    if comparison.left_out:
        yield (
            f"{counted(comparison.left_out, 'era')} that one of the models was trained on, or that "
            "overlap with those, are left out."
        )
    if PAYOUT not in comparison.differences:
        yield "No meta model covers these eras: CORR decides in place of the payout."
    yield f"Intervals: {comparison.overlap}."
    correlation = format_number(comparison.rank_correlation, 3)
    yield f"The correlation of both predictions is {correlation} (Spearman, mean over eras)."


def score_label(name: str) -> str:
    """The display name of a score."""
    return name.capitalize() if name == PAYOUT else name.upper()

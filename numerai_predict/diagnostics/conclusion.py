"""What the figures of a diagnosis support, in sentences."""

from __future__ import annotations

from numerai_predict.diagnostics.report import Report
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.pages.formats import format_interval, format_name, format_number
from numerai_predict.scoring.score_summary import ScoreSummary

_JUDGED = ("corr", "mmc", "bmc")
_MUCH_EXPOSURE = 0.3  # a third of the ranks' variation would be enough for a feature to decide


def conclusion(report: Report) -> list[str]:
    """The sentences, the most important one first."""
    judged = {name: report.scores[name] for name in _JUDGED if name in report.scores}
    judged = {name: each for name, each in judged.items() if each.eras}
    if not judged:
        return ["The model cannot be judged: no era that counts has a score."]
    sentences = [_overall(report, judged)]
    sentences += [_sentence(name, each) for name, each in judged.items()]
    sentences += _reservations(report)
    return sentences


def _overall(report: Report, judged: dict[str, ScoreSummary]) -> str:
    skilled = [name.upper() for name, each in judged.items() if _is_above_zero(report, name, each)]
    if all(each.mean_interval is None for each in judged.values()):
        return "The eras are too few to judge the model: no figure here supports a submission."
    if not skilled:
        return "The figures do not support a submission: no score is above 0 beyond chance."
    names = " and ".join(filter(None, [", ".join(skilled[:-1]), skilled[-1]]))
    names += " are" if len(skilled) > 1 else " is"
    if EraKind.UNKNOWN in report.kinds:
        return (
            f"{names} above 0 beyond chance, if the model was not trained on these eras: its "
            "training eras are unknown."
        )
    return (
        f"The figures support skill: {names} above 0 beyond chance, on eras it was not trained on."
    )


def _is_above_zero(report: Report, name: str, summary: ScoreSummary) -> bool:
    """Whether the whole interval is above 0, also as the best of all models that were shown."""
    interval = report.best_of.get(name, summary).mean_interval
    return interval is not None and interval.low > 0


def _sentence(name: str, summary: ScoreSummary) -> str:
    mean, interval = format_number(summary.mean), summary.mean_interval
    if interval is None:
        return f"{name.upper()} is {mean}, {summary.without_interval}."
    shown = f"{mean}, 95 % interval {format_interval(interval)}"
    if interval.low > 0:
        return f"{name.upper()} is above 0: {shown}."
    if interval.high < 0:
        return f"{name.upper()} is below 0: {shown}."
    return f"{name.upper()} cannot be distinguished from 0: {shown}."


def _reservations(report: Report) -> list[str]:
    """What weakens the figures."""
    found = []
    if report.models_shown and report.models_shown > 1:
        found.append(
            f"{report.models_shown} models were scored on these eras: the best of them looks "
            "better than it is, and the first sentence accounts for that."
        )
    if report.exposures and report.exposures[0].mean_absolute > _MUCH_EXPOSURE:
        largest = report.exposures[0]
        found.append(
            f"It follows the feature {format_name(largest.name)} closely: exposure "
            f"{format_number(largest.mean, 2)}."
        )
    return found

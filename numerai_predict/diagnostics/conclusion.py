"""What the figures of a diagnosis support, in sentences."""

from __future__ import annotations

from numerai_predict.contract.counting import counted
from numerai_predict.diagnostics.report import FeatureExposure, Report
from numerai_predict.diagnostics.training_overlap import EraKind
from numerai_predict.pages.formats import format_interval, format_name, format_number
from numerai_predict.scoring.score_summary import ScoreSummary

_MUCH_EXPOSURE = 0.3  # a third of the ranks' variation would be enough for a feature to decide


def conclusion(report: Report) -> list[str]:
    """The sentences, the most important one first."""
    judged = {name: report.scores[name] for name in report.judged}
    skilled = report.skilled
    if not judged:
        return ["The model cannot be judged: no era that counts has a score."]
    sentences = [_overall(report, judged, skilled)]
    sentences += [_sentence(name, each, name in skilled) for name, each in judged.items()]
    sentences += _reservations(report)
    return sentences


def _overall(report: Report, judged: dict[str, ScoreSummary], skilled: list[str]) -> str:
    if all(each.mean_interval is None for each in judged.values()):
        return "The eras are too few to judge the model: no figure here supports a submission."
    if not skilled:
        return (
            "The figures do not support a submission: no score is above 0 beyond chance"
            f"{_together(judged)}."
        )
    labels = [name.upper() for name in skilled]
    names = " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))
    names += " are" if len(skilled) > 1 else " is"
    names += f" above 0 beyond chance{_together(judged)}"
    if EraKind.UNKNOWN in report.kinds:
        return (
            f"{names}, if the model was not trained on these eras: its training eras are unknown."
        )
    return f"The figures support skill: {names}, on eras it was not trained on."


def _together(judged: dict[str, ScoreSummary]) -> str:
    """That several scores have several chances, which the first sentence considers."""
    return f", as one of {len(judged)} scores" if len(judged) > 1 else ""


def _sentence(name: str, summary: ScoreSummary, is_skilled: bool) -> str:
    mean, interval = format_number(summary.mean), summary.mean_interval
    if interval is None:
        return f"{name.upper()} is {mean}, {summary.without_interval}."
    shown = f"{mean}, 95 % interval {format_interval(interval)}"
    if interval.low > 0 and not is_skilled:
        return f"{name.upper()} alone is above 0, but not among all scores and models: {shown}."
    if interval.low > 0:
        return f"{name.upper()} is above 0: {shown}."
    if interval.high < 0:
        return f"{name.upper()} is below 0: {shown}."
    return f"{name.upper()} cannot be distinguished from 0: {shown}."


def _bet(exposure: FeatureExposure) -> str:
    """What is risky about a large exposure; a mean of signed values would hide a changing sign."""
    sides = ", always on the same side"
    if exposure.sign_changes:
        changes = counted(exposure.sign_changes, "time")
        sides = f"; the side changed {changes} in {counted(exposure.eras, 'era')}"
    return (
        f"It follows the feature {format_name(exposure.name)} closely: absolute exposure "
        f"{format_number(exposure.mean_absolute, 2)} on average, "
        f"{format_number(exposure.largest, 2)} at most{sides}."
    )


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
        found.append(_bet(largest))
    if report.without_predictions:
        sentence = report.without_predictions
        found.append(f"{sentence[0].upper()}{sentence[1:]}.")
    return found

"""What each figure of a report means: meaning, formula and source, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class GlossaryEntry:
    """A figure of a report in words; `source` is empty for what this package defines."""

    label: str
    meaning: str
    formula: str
    source: str = ""


GLOSSARY: Mapping[str, GlossaryEntry] = {
    "corr": GlossaryEntry(
        "CORR",
        "How well the predictions order the targets of an era, with weight on both ends.",
        "Pearson's correlation of p and t: the predictions' ranks as normal quantiles and the "
        "targets less their mean, both as sign(x) |x|^1.5.",
        "numerai_tools.scoring.numerai_corr",
    ),
    "mmc": GlossaryEntry(
        "MMC",
        "What the predictions add to the meta model: the part that it does not explain.",
        "Covariance of the targets with the predictions' normal quantiles, less their projection "
        "on those of the meta model.",
        "numerai_tools.scoring.correlation_contribution",
    ),
    "bmc": GlossaryEntry(
        "BMC",
        "As MMC, in comparison with a benchmark model.",
        "That of MMC, with the benchmark model in place of the meta model.",
        "numerai_tools.scoring.correlation_contribution",
    ),
    "fnc": GlossaryEntry(
        "FNC",
        "CORR of the part of the predictions that a set of features does not explain linearly.",
        "CORR of p - F (F+ p): p the normal quantiles of the predictions, F the features.",
        "numerai_tools.scoring.feature_neutral_corr",
    ),
    "sharpe": GlossaryEntry(
        "Sharpe",
        "How steady a score is over eras; not annualized.",
        "mean / standard deviation (ddof 0) of the scores of the eras.",
        "numerai_tools.scoring.sharpe_ratio",
    ),
    "drawdown": GlossaryEntry(
        "Drawdown",
        "How far a cumulative score fell from its highest value.",
        "Largest max(0, S_1, ..., S_t) - S_t, with S_t the sum of the scores up to era t.",
    ),
    "best_of": GlossaryEntry(
        "Best of",
        "The score, less what the best of as many models without skill reaches by luck.",
        "mean - expected maximum * standard error; the interval's lower end is that of the best of "
        "so many, its upper end that of one model.",
        "Bailey and Lopez de Prado, Journal of Portfolio Management 40 (2014)",
    ),
    "interval": GlossaryEntry(
        "95 % interval",
        "Where the true value lies in 95 of 100 cases, with overlapping targets accounted for.",
        "value \N{PLUS-MINUS SIGN} t * standard error, from the lowest frequencies of the scores.",
        "Lazarus, Lewis, Stock and Watson, Journal of Business & Economic Statistics 36 (2018)",
    ),
    "band": GlossaryEntry(
        "Band",
        "Where the cumulative score of such a model could have been on other eras, in 95 of 100 "
        "cases.",
        "t mean \N{PLUS-MINUS SIGN} half the interval's width times sqrt(n t + t^2), t the eras so "
        "far and n all eras: chance of other eras and of the mean together.",
    ),
    "effective": GlossaryEntry(
        "Effective eras",
        "How many independent eras the scores are worth: targets of neighbouring eras overlap.",
        "eras / overlap; a target of 20 days overlaps with 4 eras, its own included.",
    ),
    "exposure": GlossaryEntry(
        "Exposure",
        "How much the predictions follow a feature. A large one is a risk: features change.",
        "Pearson's correlation of a feature with the ranks of the predictions of an era.",
    ),
    "turnover": GlossaryEntry(
        "Turnover",
        "How much the predictions change from era to era.",
        "1 - correlation with the era before: of the predictions if the ids are the same, else of "
        "the exposures to all features.",
    ),
    "payout": GlossaryEntry(
        "Payout",
        "What the scores of an era earn or burn of a stake.",
        "clip(factor * (0.75 CORR + 2.25 MMC), -5 %, 5 %), here with a factor of 1: rounds have a "
        "smaller one.",
        "docs.numer.ai, staking",
    ),
}

"""Gates: checks that predictions must pass before they are submitted.

They read the file that would be submitted and the live data, in a process that never held
the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numerai_tools.submissions import NUMERAI_ALLOWED_PRED_COLS

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.tournament_errors import GateClosed
from numerai_predict.data.columns import column_names
from numerai_predict.data.feature_sets import FeatureSets
from numerai_predict.data.view import View, read_view
from numerai_predict.scoring.rank_spread import rank_spread
from numerai_predict.tournament.gate_limits import GateFigure, GateLimits

ABORT = "DRIFT_GUARD_ABORT"

_EXAMPLES = 5
_NOTABLE_DIFFERENCE = 0.05  # of an exposure before and after ranking


@dataclass(frozen=True)
class GateInput:
    """What the gates check.

    `values` are the predictions by id, as the file has them. `matched` are those of the live
    rows, shape (rows,), NaN where there is none. `expected` are the columns that the live data
    must have, `present` those that they have.
    """

    values: pd.Series[float]
    live: View
    matched: pd.Series[float]
    expected: Sequence[str]
    present: frozenset[str]
    limits: GateLimits


@dataclass(frozen=True)
class GateResult:
    """Why a gate blocks, `None` if it passes; and the figures that it computed, by name."""

    reason: str | None = None
    figures: dict[str, GateFigure] = field(default_factory=dict)


PASSED = GateResult()


def check_gates(
    predictions: Path, live: Path, expected: Sequence[str], limits: GateLimits
) -> dict[str, GateFigure]:
    """Require that all gates pass; returns their figures with their limits, by name.

    `expected` are the columns that the live data must have.

    Raises:
        GateClosed: a gate blocks; the message has DRIFT_GUARD_ABORT and all reasons.
        DatasetUnavailable: the live data cannot be read.
    """
    values = _read_predictions(predictions)
    present = frozenset(column_names(live))
    features = sorted(name for name in present if name.startswith("feature_"))
    view = read_view(live, features, targets=())
    ids = pd.Index(view.ids.to_pylist())
    unique = values[~values.index.duplicated()]
    gate_input = GateInput(values, view, unique.reindex(ids), expected, present, limits)
    results = [gate(gate_input) for gate in GATES]
    reasons = [result.reason for result in results if result.reason]
    if reasons:
        raise gate_error(reasons)
    return {name: value for result in results for name, value in result.figures.items()}


def gate_error(reasons: Sequence[str]) -> GateClosed:
    """The error of gates that block for these reasons."""
    lines = ["  - " + reason.replace("\n", "\n  ") for reason in reasons]
    title = f"{ABORT}: expected predictions fit to be submitted, found {len(reasons)} reason(s) "
    return GateClosed(
        "\n".join([f"{title}against it; nothing was submitted", *lines]),
        "check the model and the live data; MIN_PRED_STD, MAX_TIED_SHARE, MAX_ABS_EXPOSURE and "
        "MIN_COVERAGE change the limits",
        reasons,
    )


def missing_columns_gate(gate_input: GateInput) -> GateResult:
    """Pass if the live data have every expected column."""
    expected = gate_input.expected
    missing = [name for name in expected if name not in gate_input.present]
    if not missing:
        return PASSED
    return GateResult(
        f"live columns: {len(missing)} of {len(expected)} missing, such as {_examples(missing)}"
    )


def nan_gate(gate_input: GateInput) -> GateResult:
    """Pass if every prediction is a number."""
    values = gate_input.values
    ids = values.index[values.isna()]
    if not len(ids):
        return PASSED
    return GateResult(f"NaN: {len(ids)} of {len(values)} predictions, such as {_examples(ids)}")


def infinity_gate(gate_input: GateInput) -> GateResult:
    """Pass if no prediction is infinite."""
    ids = gate_input.values.index[np.isinf(gate_input.values)]
    if not len(ids):
        return PASSED
    return GateResult(f"infinity: {len(ids)} predictions, such as {_examples(ids)}")


def range_gate(gate_input: GateInput) -> GateResult:
    """Pass if no prediction is below 0 or above 1: the tournament refuses the file."""
    values = gate_input.values
    ids = values.index[np.isfinite(values) & ((values < 0) | (values > 1))]
    if not len(ids):
        return PASSED
    return GateResult(f"range: {len(ids)} predictions outside 0 to 1, such as {_examples(ids)}")


def spread_gate(gate_input: GateInput) -> GateResult:
    """Pass if the predictions differ from each other, whatever their scale.

    The tournament ranks predictions: the standard deviation is that of the ranks, scaled to 0 to
    1 (ddof 1).
    """
    spread = rank_spread(gate_input.values)
    limit = gate_input.limits.min_pred_std
    figures = {"std": GateFigure(spread, limit, is_highest=False)}
    if spread >= limit:
        return GateResult(figures=figures)
    return GateResult(
        f"too flat: standard deviation {spread:.3g} of the ranks below {limit:g}", figures
    )


def ties_gate(gate_input: GateInput) -> GateResult:
    """Pass if not too many predictions have the same value."""
    counts = gate_input.values.value_counts(normalize=True)
    limit = gate_input.limits.max_tied_share
    share = float(counts.iloc[0]) if len(counts) and len(gate_input.values) > 1 else 0.0
    figures = {"tied": GateFigure(share, limit)}
    if share <= limit:
        return GateResult(figures=figures)
    return GateResult(
        f"too flat: {share:.1%} of the predictions are {counts.index[0]:g}, expected at most "
        f"{limit:.1%} equal ones",
        figures,
    )


def coverage_gate(gate_input: GateInput) -> GateResult:
    """Pass if enough live ids have exactly one prediction; never if none has one."""
    matched, limit = gate_input.matched, gate_input.limits.min_coverage
    share = float(matched.notna().mean())
    repeated = int(gate_input.values.index.duplicated().sum())
    figures = {"coverage": GateFigure(share, limit, is_highest=False)}
    if share == 0 and len(gate_input.values):
        return GateResult(
            f"round: none of the {len(matched):,} live ids of this round has a prediction: the "
            f"predictions are of other live data, with ids such as "
            f"{_examples(gate_input.values.index)}",
            figures,
        )
    if share >= limit and not repeated:
        return GateResult(figures=figures)
    details = f", {repeated} ids repeated" if repeated else ""
    missing = matched.index[matched.isna()]
    details += f", missing such as {_examples(missing)}" if len(missing) else ""
    return GateResult(
        f"coverage: {share:.2%} of the live ids, expected {limit:.2%}{details}", figures
    )


def exposure_gate(gate_input: GateInput) -> GateResult:
    """Pass if no feature has a larger absolute correlation with the ranked predictions."""
    # Importing scikit-learn takes a second.
    from numerai_predict.scoring.exposures import exposure_by_chance, largest_exposure

    usable = np.isfinite(gate_input.matched.to_numpy())
    if usable.sum() < 2 or not rank_spread(gate_input.values) > 0:
        return PASSED  # the spread gate or the coverage gate blocks
    live = gate_input.live
    by_chance = exposure_by_chance(int(usable.sum()), len(live.feature_names))
    limit = gate_input.limits.exposure_limit(by_chance)
    largest = largest_exposure(
        gate_input.matched[usable], live.features[usable], live.feature_names
    )
    if largest is None:
        return PASSED
    figures = {"exposure": GateFigure(largest.correlation, limit)}
    if largest.correlation <= limit:
        return GateResult(figures=figures)
    unranked = ""
    if abs(largest.of_values - largest.correlation) > _NOTABLE_DIFFERENCE:
        unranked = f" ({largest.of_values:.3f} before ranking)"
    return GateResult(
        f"exposure: {largest.correlation:.3f} to {largest.feature}{unranked}, above {limit:.3g}",
        figures,
    )


GATES: tuple[Callable[[GateInput], GateResult], ...] = (
    missing_columns_gate,
    nan_gate,
    infinity_gate,
    range_gate,
    spread_gate,
    ties_gate,
    coverage_gate,
    exposure_gate,
)


def expected_columns(named: Sequence[str], features_json: Path) -> list[str]:
    """The columns that live data must have: those of features.json, and the `named` ones."""
    try:
        known = FeatureSets.read(features_json).sets.get("all", [])
    except DatasetUnavailable:
        known = []
    return list(dict.fromkeys(["era", "data_type", *known, *named]))


def _read_predictions(path: Path) -> pd.Series[float]:
    """The predictions by id; what is not a number is NaN."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise gate_error([f"no CSV that can be read: {type(error).__name__}"]) from error
    if not _are_accepted(list(frame.columns)):
        found = one_line(", ".join(frame.columns[:_EXAMPLES]))
        raise gate_error([f"columns: {found}; expected id and prediction"])
    numbers = pd.to_numeric(frame.iloc[:, 1], errors="coerce").to_numpy(np.float64)
    return pd.Series(numbers, index=frame["id"])


def _are_accepted(columns: Sequence[str]) -> bool:
    """Whether the tournament accepts a file with these columns."""
    return len(columns) == 2 and columns[0] == "id" and columns[1] in NUMERAI_ALLOWED_PRED_COLS


def _examples(names: Sequence[str] | pd.Index[str]) -> str:
    return ", ".join(map(str, list(names)[:_EXAMPLES]))

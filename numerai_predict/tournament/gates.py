"""Gates: what predictions must be before they are submitted, whoever made them.

They look at the file that would be submitted and at the live data, in a process that
never held the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.tournament_errors import GateClosed
from numerai_predict.data.columns import column_names
from numerai_predict.data.view import View, read_view
from numerai_predict.tournament.gate_limits import GateLimits

ABORT = "DRIFT_GUARD_ABORT"

_SOME = 5


@dataclass(frozen=True)
class _Case:
    """What the gates look at: `values` are by id, as the file has them.

    `matched` are the live rows' predictions, shape (rows,), NaN where there is none.
    """

    values: pd.Series[float]
    live: View
    matched: pd.Series[float]
    expected: Sequence[str]
    present: frozenset[str]
    limits: GateLimits
    figures: dict[str, float] = field(default_factory=dict)


def check_gates(
    predictions: Path, live: Path, expected: Sequence[str], limits: GateLimits
) -> dict[str, float]:
    """Let predictions pass that are fit to be submitted; the figures that were looked at.

    `expected` are the columns that the live data must have.

    Raises:
        GateClosed: they are not; the message says DRIFT_GUARD_ABORT and has all reasons.
        DatasetUnavailable: the live data cannot be read.
    """
    values = _read(predictions)
    present = frozenset(column_names(live))
    features = sorted(name for name in present if name.startswith("feature_"))
    view = read_view(live, features, targets=())
    ids = pd.Index(view.ids.to_pylist())
    unique = values[~values.index.duplicated()]
    case = _Case(values, view, unique.reindex(ids), expected, present, limits)
    reasons = [reason for gate in GATES if (reason := gate(case))]
    if reasons:
        raise gate_error(reasons)
    return case.figures


def gate_error(reasons: Sequence[str]) -> GateClosed:
    """The error of gates that are closed for these reasons."""
    lines = [f"  - {reason}" for reason in reasons]
    title = f"{ABORT}: expected predictions fit to be submitted, found {len(reasons)} reason(s) "
    return GateClosed(
        "\n".join([f"{title}against it; nothing was submitted", *lines]),
        "look at the model and the live data; MIN_PRED_STD, MAX_ABS_EXPOSURE and MIN_COVERAGE "
        "move the limits",
    )


def missing_columns(case: _Case) -> str | None:
    """The live data have every column that is expected of them."""
    missing = [name for name in case.expected if name not in case.present]
    if not missing:
        return None
    return f"live columns: {len(missing)} of {len(case.expected)} missing, such as {_some(missing)}"


def nan(case: _Case) -> str | None:
    """No prediction is NaN, or no number at all."""
    count = int(case.values.isna().sum())
    ids = case.values.index[case.values.isna()]
    return (
        f"NaN: {count} of {len(case.values)} predictions, such as {_some(ids)}" if count else None
    )


def infinity(case: _Case) -> str | None:
    """No prediction is infinite."""
    infinite = np.isinf(case.values)
    ids = case.values.index[infinite]
    count = int(infinite.sum())
    return f"infinity: {count} predictions, such as {_some(ids)}" if count else None


def flat(case: _Case) -> str | None:
    """The predictions tell rows apart."""
    spread = _spread(case)
    case.figures["std"] = spread
    if spread >= case.limits.min_pred_std:
        return None
    return f"too flat: standard deviation {spread:.3g} below {case.limits.min_pred_std:g}"


def coverage(case: _Case) -> str | None:
    """Live ids have a prediction each."""
    share = float(case.matched.notna().mean())
    case.figures["coverage"] = share
    repeated = int(case.values.index.duplicated().sum())
    if share >= case.limits.min_coverage and not repeated:
        return None
    more = f", {repeated} ids repeated" if repeated else ""
    missing = case.matched.index[case.matched.isna()]
    some = f", missing such as {_some(missing)}" if len(missing) else ""
    expected = f"expected {case.limits.min_coverage:.2%}"
    return f"coverage: {share:.2%} of the live ids, {expected}{more}{some}"


def exposure(case: _Case) -> str | None:
    """The predictions are not those of one feature."""
    from numerai_predict.scoring.exposures import largest_exposure  # scikit-learn takes a second

    usable = np.isfinite(case.matched.to_numpy())
    if usable.sum() < 2 or not _spread(case) > 0:
        return None  # too flat or empty, as another gate says
    chosen = case.matched[usable]
    largest = largest_exposure(chosen, case.live.features[usable], case.live.feature_names)
    if largest is None:
        return None
    case.figures["exposure"] = largest.correlation
    if largest.correlation <= case.limits.max_abs_exposure:
        return None
    return (
        f"exposure: {largest.correlation:.3f} to {largest.feature}, "
        f"above {case.limits.max_abs_exposure:g}"
    )


GATES: tuple[Callable[[_Case], str | None], ...] = (
    missing_columns,
    nan,
    infinity,
    flat,
    coverage,
    exposure,
)


def _spread(case: _Case) -> float:
    finite = case.values.to_numpy()[np.isfinite(case.values.to_numpy())]
    return float(finite.std(ddof=1)) if len(finite) > 1 else 0.0


def _read(path: Path) -> pd.Series[float]:
    """The predictions by id; what is no number is NaN."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise gate_error([f"no CSV that can be read: {type(error).__name__}"]) from error
    if len(frame.columns) != 2 or frame.columns[0] != "id":
        raise gate_error(
            [f"columns: {', '.join(frame.columns[:_SOME])}; expected id and prediction"]
        )
    numbers = pd.to_numeric(frame.iloc[:, 1], errors="coerce").to_numpy(np.float64)
    return pd.Series(numbers, index=frame["id"])


def _some(names: Sequence[str] | pd.Index[str]) -> str:
    return ", ".join(map(str, list(names)[:_SOME]))


def expected_columns(named: Sequence[str], features_json: Path) -> list[str]:
    """The columns that live data must have: those of features.json, and those that are named."""
    from numerai_predict.data.feature_sets import FeatureSets

    try:
        known = FeatureSets.read(features_json).sets.get("all", [])
    except DatasetUnavailable:
        known = []
    return list(dict.fromkeys(["era", "data_type", *known, *named]))

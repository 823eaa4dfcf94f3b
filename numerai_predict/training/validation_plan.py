"""Which eras train, stop and score the models of a training, and which are its holdout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.data.era_selection import era_name


@dataclass(frozen=True)
class ValidationWindow:
    """The numbers of the eras of a window's models, ascending.

    `training` may have eras on both sides of the scored ones; `stopping` is empty without early
    stopping.
    """

    name: str
    training: tuple[int, ...]
    stopping: tuple[int, ...]
    scored: tuple[int, ...]


@dataclass(frozen=True)
class ValidationPlan:
    """All windows, in the order of their scored eras, and the final one, scored on the holdout."""

    windows: tuple[ValidationWindow, ...]
    final: ValidationWindow
    embargo_eras: int

    def trained_on(self, eras: Sequence[int]) -> TrainedEras:
        """The manifest's entry for a model trained on these eras, which are ascending."""
        return TrainedEras(eras[0], eras[-1], eras[-1] + self.embargo_eras + 1)


def final_window(eras: Sequence[int], holdout_eras: int, embargo_eras: int) -> ValidationWindow:
    """The window that is scored on the newest eras, trained on all with an embargo before them."""
    holdout = tuple(eras[-holdout_eras:])
    return ValidationWindow("final", eras_before(eras, holdout[:1], embargo_eras), (), holdout)


def whole_window(eras: Sequence[int]) -> ValidationWindow:
    """The window that is trained on all eras, the holdout included, and scored on none."""
    return ValidationWindow("whole", tuple(eras), (), ())


def eras_before(eras: Sequence[int], first: Sequence[int], embargo: int) -> tuple[int, ...]:
    """The eras with more than `embargo` eras to the one in `first`; none if `first` is empty."""
    return tuple(era for era in eras if first and first[0] - era > embargo)


def describe_eras(eras: Sequence[int]) -> str:
    """A short, unique description of the eras: first, last, number, and a hash of all."""
    if not eras:
        return "none"
    digest = hashlib.sha256(json.dumps(list(eras)).encode()).hexdigest()[:8]
    return f"{eras[0]} to {eras[-1]} ({len(eras)}, {digest})"


def describe_spans(eras: Sequence[int], others: Sequence[int]) -> str:
    """The first and last era of each part of `eras` that has none of the `others` within."""
    spans: list[list[int]] = []
    for era in eras:
        if not spans or any(spans[-1][-1] < other < era for other in others):
            spans.append([era])
        spans[-1].append(era)
    return " and ".join(f"{era_name(span[0])} to {era_name(span[-1])}" for span in spans)

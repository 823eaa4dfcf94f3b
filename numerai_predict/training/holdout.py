"""The holdout of a training: its eras, the count of looks at it, and what its scores are of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.storage.directories import NoHomeDirectory, state_directory
from numerai_predict.storage.holdout_looks import Holdout, LookRecord
from numerai_predict.training.blending.transform import NO_TRANSFORM, BlendTransform
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.evaluation import Evaluation
from numerai_predict.training.model_fitting import TrainedModel
from numerai_predict.training.training_data import TrainingData


@dataclass(frozen=True)
class HoldoutFacts:
    """What is known of a holdout.

    `first` and `last` are its eras. `models_shown` is the number of models whose scores on some of
    these eras were shown, this training's included if `is_revealed`. `scored_model` identifies the
    models that the scores are of; they are those of the bundle if `is_bundled`, else the bundled
    ones were trained on the holdout too.
    """

    first: int
    last: int
    is_revealed: bool
    models_shown: int
    scored_model: str
    is_bundled: bool


@dataclass(frozen=True)
class HoldoutScores:
    """The holdout, and its scores if they are shown."""

    facts: HoldoutFacts
    evaluation: Evaluation | None


def hidden_holdout(
    config: TrainingConfig,
    data: TrainingData,
    eras: Sequence[int],
    models: Sequence[TrainedModel],
    blend: BlendTransform = NO_TRANSFORM,
) -> HoldoutScores:
    """The holdout of these eras and models, whose scores are not computed."""
    holdout, model = _holdout(data, eras), _scored_model(config, models, blend)
    try:
        shown = LookRecord(state_directory()).count(holdout)
    except NoHomeDirectory:  # nothing was ever recorded
        shown = 0
    return HoldoutScores(_facts(config, holdout, shown, model, is_revealed=False), None)


def revealed_holdout(
    config: TrainingConfig,
    data: TrainingData,
    evaluation: Evaluation,
    eras: Sequence[int],
    models: Sequence[TrainedModel],
    blend: BlendTransform = NO_TRANSFORM,
) -> HoldoutScores:
    """The holdout of these eras with the scores of the models; the look is recorded first.

    Raises:
        SaveFailed: the look cannot be recorded.
    """
    holdout, model = _holdout(data, eras), _scored_model(config, models, blend)
    try:
        shown = LookRecord(state_directory()).add(holdout, model)
    except NoHomeDirectory as error:
        raise SaveFailed(
            f"expected a directory to record the look at the holdout in, found none: {error}",
            "set XDG_STATE_HOME, or train without --reveal-holdout",
        ) from error
    return HoldoutScores(_facts(config, holdout, shown, model, is_revealed=True), evaluation)


def _holdout(data: TrainingData, eras: Sequence[int]) -> Holdout:
    return Holdout(data.names, data.main_target, eras[0], eras[-1], data.marks(eras))


def _scored_model(
    config: TrainingConfig, models: Sequence[TrainedModel], blend: BlendTransform
) -> str:
    """A hash of everything that determines the predictions."""
    facts: list[Any] = [[model.target, model.seed, model.stored.sha256] for model in models]
    facts += [config.neutralize, config.max_exposure, *blend.facts().values()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _facts(
    config: TrainingConfig, holdout: Holdout, shown: int, model: str, *, is_revealed: bool
) -> HoldoutFacts:
    return HoldoutFacts(
        first=holdout.first,
        last=holdout.last,
        is_revealed=is_revealed,
        models_shown=shown,
        scored_model=model,
        is_bundled=not config.use_holdout,
    )

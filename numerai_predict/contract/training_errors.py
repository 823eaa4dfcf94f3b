"""What can go wrong in a training, as types that own their verdicts."""

from __future__ import annotations

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.verdicts import TrainingVerdict


class TrainingError(RunError):
    """A training that did not end in a bundle."""


class BadConfiguration(TrainingError):
    """The configuration makes no sense, by itself or for these data."""

    verdict = TrainingVerdict.BAD_CONFIGURATION


class TrainingBusy(TrainingError):
    """Another training works in the same folder."""

    verdict = TrainingVerdict.TRAINING_BUSY


class BundleRefused(TrainingError):
    """The pickle does not do what the trainer does; it was not put in place."""

    verdict = TrainingVerdict.BUNDLE_REFUSED

"""Errors of a training, as types that own their verdicts."""

from __future__ import annotations

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.verdicts import TrainingVerdict


class TrainingError(RunError):
    """A training ended without a bundle."""


class BadConfiguration(RunError):
    """The configuration is invalid, by itself or for the data."""

    verdict = TrainingVerdict.BAD_CONFIGURATION


class TrainingBusy(TrainingError):
    """Another training uses the same directory."""

    verdict = TrainingVerdict.TRAINING_BUSY


class BundleRefused(TrainingError):
    """The pickle does not predict what the trainer predicts; it was not published."""

    verdict = TrainingVerdict.BUNDLE_REFUSED

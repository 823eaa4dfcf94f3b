"""Errors of tournament commands, as types that own their verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from numerai_predict.contract.errors import RunError, Transient
from numerai_predict.contract.foreign_text import printable_lines
from numerai_predict.contract.redaction import redact_text
from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.contract.verdicts import TournamentVerdict


class TournamentError(RunError):
    """A tournament command failed."""


class GateClosed(TournamentError):
    """A gate blocked the submission of the predictions; nothing was submitted.

    `reasons` are those of the gates, bounded and printable like the message.
    """

    verdict = TournamentVerdict.GATE_CLOSED

    def __init__(self, message: str, remedy: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(message, remedy)
        self.reasons = tuple(printable_lines(redact_text(reason)) for reason in reasons)


class RoundClosed(TournamentError):
    """No round is open for submissions."""

    verdict = TournamentVerdict.ROUND_CLOSED


class NotAuthorised(TournamentError):
    """Keys are missing, wrong, or lack a scope."""

    verdict = TournamentVerdict.NOT_AUTHORISED


class BadSettings(BadConfiguration):
    """A setting in the environment or in the keys file is invalid or unknown."""


class UnknownModel(TournamentError):
    """The account has no model of this name."""

    verdict = TournamentVerdict.UNKNOWN_MODEL


class SubmissionExists(TournamentError):
    """The round already has another submission of this model."""

    verdict = TournamentVerdict.SUBMISSION_EXISTS


class SubmissionRefused(TournamentError):
    """The tournament refused the submission."""

    verdict = TournamentVerdict.SUBMISSION_REFUSED


class ModelRefused(TournamentError):
    """The inspection or the tournament refused the pickle as a hosted model."""

    verdict = TournamentVerdict.MODEL_REFUSED


class TournamentUnavailable(TournamentError, Transient):
    """The tournament API does not respond, or responds only with errors."""

    verdict = TournamentVerdict.TOURNAMENT_UNAVAILABLE


class LocalServerStopped(TournamentUnavailable):
    """Nothing listens where a server on this machine should: a practice server was stopped."""

"""What can go wrong between a user and the tournament, as types that own their verdicts."""

from __future__ import annotations

from numerai_predict.contract.errors import RunError, Transient
from numerai_predict.contract.verdicts import TournamentVerdict


class TournamentError(RunError):
    """A command of the tournament that did not do what it was asked for."""


class GateClosed(TournamentError):
    """The predictions are not what should be submitted; nothing was."""

    verdict = TournamentVerdict.GATE_CLOSED


class RoundClosed(TournamentError):
    """No round takes submissions now."""

    verdict = TournamentVerdict.ROUND_CLOSED


class NotAuthorised(TournamentError):
    """Keys are missing or wrong, or are not allowed to do this."""

    verdict = TournamentVerdict.NOT_AUTHORISED


class UnknownModel(TournamentError):
    """The account has no model of this name."""

    verdict = TournamentVerdict.UNKNOWN_MODEL


class SubmissionExists(TournamentError):
    """The round has another submission of this model already."""

    verdict = TournamentVerdict.SUBMISSION_EXISTS


class SubmissionRefused(TournamentError):
    """The tournament does not take the submission."""

    verdict = TournamentVerdict.SUBMISSION_REFUSED


class ModelRefused(TournamentError):
    """The pickle is not fit to be hosted, as its inspection or the tournament says."""

    verdict = TournamentVerdict.MODEL_REFUSED


class TournamentUnavailable(TournamentError, Transient):
    """The tournament gives no answer, or none that makes sense."""

    verdict = TournamentVerdict.TOURNAMENT_UNAVAILABLE

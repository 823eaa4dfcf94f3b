"""Verdicts and errors are the contract's table."""

import pytest

from numerai_predict.contract import (
    errors,
    registry_errors,
    tournament_errors,
    training_errors,
)
from numerai_predict.contract.verdicts import (
    RegistryVerdict,
    TournamentVerdict,
    TrainingVerdict,
    Verdict,
)


def subclasses(kind):
    return {kind} | {found for child in kind.__subclasses__() for found in subclasses(child)}


ERRORS = sorted(subclasses(errors.RunError), key=lambda kind: kind.__name__)
WITHOUT_A_VERDICT = {
    errors.RunError,
    errors.Transient,
    tournament_errors.TournamentError,
    training_errors.TrainingError,
    registry_errors.RegistryError,
}
WITHOUT_AN_ERROR = {Verdict.OK, Verdict.USAGE, Verdict.SANDBOX_UNAVAILABLE}


def test_words_and_exit_codes_are_those_of_the_contract(contract):
    assert {verdict.word: verdict.exit_code for verdict in Verdict} == contract.exit_codes


def test_no_word_and_no_exit_code_is_used_twice(contract):
    # __members__ holds aliases, which iterating over an Enum would hide.
    assert len(Verdict.__members__) == len(contract.exit_codes)
    assert len({verdict.word for verdict in Verdict}) == len(Verdict.__members__)
    assert len({verdict.exit_code for verdict in Verdict}) == len(Verdict.__members__)


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind not in WITHOUT_A_VERDICT])
def test_every_error_owns_a_verdict_or_inherits_a_special_one(kind):
    owners = [base for base in kind.__mro__ if "verdict" in vars(base)]
    assert owners[0] is not errors.RunError
    assert isinstance(kind.verdict, Verdict | TournamentVerdict | TrainingVerdict | RegistryVerdict)


def test_the_verdicts_of_commands_share_no_word_and_no_code_with_those_of_a_run():
    every = [*Verdict, *TournamentVerdict, *TrainingVerdict, *RegistryVerdict]
    assert len({verdict.word for verdict in every}) == len(every)
    assert len({verdict.exit_code for verdict in every}) == len(every)
    assert len(TournamentVerdict.__members__) == len(TournamentVerdict)
    assert len(TrainingVerdict.__members__) == len(TrainingVerdict)
    assert TournamentVerdict.GATE_CLOSED.exit_code == 80
    assert TrainingVerdict.BAD_CONFIGURATION.exit_code == 90


@pytest.mark.parametrize(
    "verdict",
    [
        verdict
        for verdict in (*Verdict, *TournamentVerdict, *TrainingVerdict, *RegistryVerdict)
        if verdict not in WITHOUT_AN_ERROR
    ],
    ids=lambda v: v.word,
)
def test_every_failing_verdict_has_exactly_one_error_that_owns_it(verdict):
    owners = [
        kind
        for kind in ERRORS
        if vars(kind).get("verdict") is verdict and kind is not errors.RunError
    ]
    assert len(owners) == 1


@pytest.mark.parametrize(
    ("transient", "permanent"),
    [
        (errors.ModelUnreachable, errors.ModelUnavailable),
        (errors.DatasetUnreachable, errors.DatasetUnavailable),
        (errors.UploadInterrupted, errors.UploadFailed),
    ],
)
def test_a_transient_failure_has_a_type_of_its_own_and_the_same_verdict(transient, permanent):
    assert issubclass(transient, errors.Transient)
    assert issubclass(transient, permanent)
    assert not issubclass(permanent, errors.Transient)
    assert transient.verdict is permanent.verdict


def test_a_permanent_refusal_to_fetch_is_no_interruption():
    assert issubclass(errors.FetchInterrupted, errors.FetchFailed)
    assert not issubclass(errors.FetchFailed, errors.FetchInterrupted)


def test_an_error_keeps_message_and_remedy_apart():
    error = errors.SaveFailed("expected a disk, found none", "buy one")
    assert (error.message, error.remedy) == ("expected a disk, found none", "buy one")
    assert str(error) == error.message

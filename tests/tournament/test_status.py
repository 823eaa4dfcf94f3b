"""`numerai-predict status` and `rounds`: what was submitted, and which round is open."""

import json
import re

import pytest


def test_a_submission_is_shown_with_its_round(practice, numerai, csv):
    name = practice.model()
    before = numerai("status", "--model-name", name)
    assert before.code == 0, before.log
    assert before.out.splitlines() == [name, "  no submission"]
    assert "0 of 1 model(s) submitted" in before.verdict
    assert numerai("submit", csv(), "--model-name", name).code == 0
    after = numerai("status", "--model-name", name)
    heads, line = after.out.splitlines()[1:]
    assert re.fullmatch(r"  round +submitted \(UTC\) +scores +payout +file", heads)
    assert re.fullmatch(r"  \d+ +[\d-]+ [\d:]+ +none yet +- +predictions.*\.csv", line)
    assert heads.index("file") == line.index("predictions")
    assert "1 of 1 model(s) submitted" in after.verdict


def test_status_prints_json(practice, numerai, csv):
    name = practice.model()
    assert numerai("submit", csv(), "--model-name", name).code == 0
    (status,) = json.loads(numerai("status", "--model-name", name, "--json").out)
    assert (status["model"], status["submitted"]) == (name, True)
    (submission,) = status["submissions"]
    assert submission.keys() == {
        *("round", "time", "file", "scores", "provisional_scores", "day", "payout"),
        "payout_settled",
    }
    assert (submission["scores"], submission["payout"], status["stake"]) == ({}, None, None)


@pytest.mark.usefixtures("weekday_round")
def test_scores_and_payouts_are_provisional_until_the_round_resolves(practice, numerai, csv):
    name = practice.model()
    assert numerai("submit", csv(), "--model-name", name).code == 0
    assert numerai(
        "practice", "stake", 10, "--model-name", name, "--state-dir", practice.folder
    ).verdict.endswith(f"the stake is 10 NMR for {name}")
    practice.advance(days=8)
    heading, heads, line = numerai("status", "--model-name", name).out.splitlines()
    assert heading == f"{name}  stake 10.0000 NMR"
    assert heads.split()[3:] == ["scores", "v2_corr20", "mmc", "bmc", "payout", "file"]
    assert re.search(r"  day \d of 20 +[+-]0\.\d{4} .* pending [+-]0\.\d{4} NMR  ", line)
    practice.advance(days=25)
    (line,) = numerai("status", "--model-name", name).out.splitlines()[2:]
    assert re.search(r"  resolved: final +[+-]0\.\d{4} .* paid [+-]0\.\d{4} NMR  ", line)
    (status,) = json.loads(numerai("status", "--model-name", name, "--json").out)
    (submission,) = status["submissions"]
    assert submission["payout_settled"] is True
    assert status["stake"] == pytest.approx(10 + submission["payout"], abs=1e-6)
    assert submission["scores"].keys() == {"v2_corr20", "mmc", "bmc"}
    assert submission["provisional_scores"] == {}


def test_without_payouts_of_the_api_the_rest_is_shown(practice, numerai, csv):
    name = practice.model()
    assert numerai("submit", csv(), "--model-name", name).code == 0
    practice.fault("graphql", contains="v3UserProfile")
    ended = numerai("status", "--model-name", name)
    practice.fault(None)
    assert ended.code == 0, ended.log
    assert "stakes and payouts are not shown" in ended.log
    assert len(ended.out.splitlines()) == 3


@pytest.mark.parametrize("amount", ["-1", "lots", "nan", "1e9"])
def test_a_stake_that_is_no_amount_is_refused(practice, numerai, amount):
    ended = numerai("practice", "stake", "--state-dir", practice.folder, "--", amount)
    assert ended.code == 2, ended.log
    assert "expected NMR from 0 to 11,000,000" in ended.log


def test_an_unknown_model_is_reported_with_those_of_the_account(practice, numerai):
    ended = numerai("status", "--model-name", "unknown")
    assert ended.code == 83
    assert "practice_one" in ended.verdict


def test_rounds_are_listed_newest_first(practice, numerai):
    ended = numerai("rounds", "--limit", 2)
    assert ended.code == 0, ended.log
    heading, *lines = ended.out.splitlines()
    assert heading.split() == ["round", "opens", "(UTC)", "closes", "(UTC)", "state"]
    assert len(lines) <= 2
    rounds = json.loads(numerai("rounds", "--limit", 2, "--json").out)
    assert [str(each["round"]) for each in rounds] == [line.split()[0] for line in lines]
    assert rounds[0].keys() == {"round", "opens", "closes", "resolves", "state"}
    assert [each["round"] for each in rounds] == sorted(
        (each["round"] for each in rounds), reverse=True
    )

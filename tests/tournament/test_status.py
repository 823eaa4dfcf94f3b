"""`numerai-predict status` and `rounds`: what was submitted, and which round is open."""

import json


def test_a_submission_is_shown_with_its_round(practice, numerai, csv):
    name = practice.model()
    before = numerai("status", "--model-name", name)
    assert before.code == 0, before.log
    assert before.out.splitlines() == [name, "  no submission"]
    assert "0 of 1 model(s) submitted" in before.verdict
    assert numerai("submit", csv(), "--model-name", name).code == 0
    after = numerai("status", "--model-name", name)
    assert after.out.splitlines()[1].startswith("  round ")
    assert "1 of 1 model(s) submitted" in after.verdict


def test_status_prints_json(practice, numerai, csv):
    name = practice.model()
    assert numerai("submit", csv(), "--model-name", name).code == 0
    (status,) = json.loads(numerai("status", "--model-name", name, "--json").out)
    assert (status["model"], status["submitted"]) == (name, True)
    (submission,) = status["submissions"]
    assert submission.keys() == {"round", "time", "file", "scores"}


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

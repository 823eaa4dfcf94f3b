"""The practice server accepts, refuses, stores and scores as the tournament does."""

import json

import pandas as pd
import pytest
import requests
from numerai_tools.scoring import numerai_corr

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.tournament_errors import TournamentUnavailable
from numerai_predict.data.synthetic import draw_round
from numerai_predict.storage.graphql import RequestRefused
from numerai_predict.storage.presigned.put import put_to_presigned_url
from numerai_predict.tournament import queries
from numerai_predict.tournament.practice import process_control
from numerai_predict.tournament.practice.app import CONTROL_HEADER
from numerai_predict.tournament.practice.server import RUNNING_FILE, ServerSetup


@pytest.fixture
def send(practice):
    """Upload a file as submission and say so; the answer to that."""

    def send_file(name, path):
        tournament = practice.tournament()
        model = tournament.model(name)
        ticket = tournament.request_upload(path, model)
        put_to_presigned_url(path, ticket.url, tournament.api.policy)
        return lambda: tournament.api.mutate(
            queries.CREATE, filename=ticket.filename, tournament=8, modelId=model.id
        )

    return send_file


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda lines: lines[:-1], "Not enough stocks"),
        (lambda lines: [*lines, lines[-1]], "Duplicates"),
        (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ","], "NaN"),
        (lambda lines: [*lines[:-1], lines[-1].split(",")[0] + ",1.5"], "between 0 and 1"),
        (lambda lines: ["id,score", *lines[1:]], "headers"),
        (lambda lines: ["\x00"], "invalid_submission"),
    ],
)
def test_what_numerai_tools_refuses_is_no_submission(practice, send, csv, spoil, words):
    path, name = csv(), practice.model()
    path.write_text("\n".join(spoil(path.read_text().splitlines())) + "\n")
    with pytest.raises(RequestRefused, match=words):
        send(name, path)()
    assert practice.submissions(name) == []


def test_the_same_uploaded_file_makes_one_submission_however_often_it_is_requested(
    practice, send, csv
):
    name = practice.model()
    create = send(name, csv())
    assert create()["id"] == create()["id"]
    assert len(practice.submissions(name)) == 1


def test_a_late_submission_is_taken_and_marked(practice, numerai, send, pickled):
    practice.open_weekday_round()
    name = practice.model()
    practice.advance(hours=2)
    ended = numerai("round", pickled(), "--model-name", name, "--allow-late")
    assert ended.code == 0, ended.log
    assert [row["late"] for row in practice.submissions(name)] == [1]


def test_scores_arrive_daily_until_the_round_resolves_and_stay(practice, send, csv):
    name = practice.model()
    send(name, csv())()
    tournament = practice.tournament()
    ask = {"modelId": practice.models[name], "tournament": 8}
    assert tournament.query(queries.SCORES, **ask) == []
    for _ in range(3):
        practice.open_round()
    early = tournament.query(queries.SCORES, **ask)
    assert [each["day"] for each in early[::3]] == [2, 1]
    assert not any(each["resolved"] for each in early)
    practice.advance(days=32)
    scores = tournament.query(queries.SCORES, **ask)
    assert scores[-6:] == early
    assert [each["day"] for each in scores[::3]] == list(range(20, 0, -1))
    assert {each["day"] for each in scores if each["resolved"]} == {20}
    assert {each["displayName"] for each in scores} == {"v2_corr20", "mmc", "bmc"}
    assert all(-1 < each["value"] < 1 for each in scores)
    assert tournament.query(queries.SCORES, **ask) == scores


def test_the_final_score_is_that_of_the_rounds_target(practice, send, csv):
    name, path = practice.model(), csv()
    number = practice.tournament().current_round().number
    send(name, path)()
    practice.advance(days=32)
    scores = practice.tournament().query(
        queries.SCORES, modelId=practice.models[name], tournament=8
    )
    era = draw_round(practice.shape, number, practice.first_round)
    predictions = pd.read_csv(path, index_col="id")["prediction"]
    expected = numerai_corr(
        predictions.sort_index().to_frame(), era.frame["target"].astype(float).sort_index()
    )
    assert scores[0]["displayName"] == "v2_corr20"
    assert scores[0]["value"] == pytest.approx(expected["prediction"])


def performance(practice, name):
    """The newest round of a model as numerapi asks for it."""
    query = """query ($modelId: String!) { v2RoundModelPerformances(modelId: $modelId) {
        atRisk roundPayoutFactor roundResolved payoutMultipliers { displayName multiplier }
        submissionScores { displayName day value payoutPending payoutSettled } } }"""
    return practice.tournament().query(query, modelId=practice.models[name])[0]


@pytest.mark.usefixtures("weekday_round")
def test_a_stake_is_at_risk_when_the_round_closes_and_paid_when_it_resolves(practice, send, csv):
    name = practice.model()
    send(name, csv())()
    process_control.set_stakes(practice.server, [name], 10)
    assert float(performance(practice, name)["atRisk"]) == 0
    practice.advance(hours=2)
    closed = performance(practice, name)
    assert (float(closed["atRisk"]), closed["roundPayoutFactor"]) == (10, None)
    practice.advance(days=10)
    pending = performance(practice, name)
    assert 0.1 < float(pending["roundPayoutFactor"]) < 0.15
    assert {each["displayName"]: each["multiplier"] for each in pending["payoutMultipliers"]} == {
        "v2_corr20": 0.75,
        "mmc": 2.25,
    }
    paid = [each["payoutPending"] for each in pending["submissionScores"]]
    assert [each is not None for each in paid] == [True, True, False]
    assert practice.stake(name) == 10
    practice.advance(days=25)
    resolved = performance(practice, name)
    payout = sum(
        float(each["payoutSettled"])
        for each in resolved["submissionScores"]
        if each["payoutSettled"] is not None
    )
    scores = {each["displayName"]: each["value"] for each in resolved["submissionScores"]}
    weighted = 0.75 * scores["v2_corr20"] + 2.25 * scores["mmc"]
    rate = max(-0.05, min(0.05, float(resolved["roundPayoutFactor"]) * weighted))
    assert payout == pytest.approx(10 * rate, abs=1e-6)
    assert practice.stake(name) == pytest.approx(10 + payout, abs=1e-6)


@pytest.mark.usefixtures("weekday_round")
def test_a_late_submission_has_no_stake_at_risk(practice, send, csv):
    name = practice.model()
    process_control.set_stakes(practice.server, [name], 10)
    practice.advance(hours=2)
    send(name, csv())()
    practice.advance(days=40)
    assert float(performance(practice, name)["atRisk"]) == 0
    assert practice.stake(name) == 10


@pytest.mark.parametrize(
    ("models", "nmr", "words"),
    [
        (["unknown_model"], 1, "expected models among"),
        ("practice_one", 1, "expected models among"),
        (["practice_one"], -1, "expected NMR from 0"),
        (["practice_one"], "much", "expected NMR from 0"),
        (["practice_one"], float("inf"), "expected NMR from 0"),
        (["practice_one"], None, "expected NMR from 0"),
    ],
)
def test_a_stake_that_cannot_be_is_refused(practice, models, nmr, words):
    headers = {CONTROL_HEADER: practice.server.control}
    body = json.dumps({"models": models, "nmr": nmr})
    url = f"{practice.url}/practice/stake"
    answer = requests.post(url, data=body, headers=headers, timeout=30)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_another_round_has_other_live_data(practice):
    tournament = practice.tournament()
    seen = set()
    for _ in range(2):
        practice.open_round()
        query = 'query { dataset(filename: "v5.2/live.parquet") }'
        seen.add(requests.get(tournament.query(query), timeout=30).content)
    assert len(seen) == 2


def test_v5_3_has_the_feature_set_quantum(practice):
    tournament = practice.tournament()
    sets = {}
    for version in ("v5.2", "v5.3"):
        query = f'query {{ dataset(filename: "{version}/features.json") }}'
        facts = requests.get(tournament.query(query), timeout=30).json()
        sets[version] = facts["feature_sets"].keys()
    assert sets["v5.3"] - sets["v5.2"] == {"quantum"}


def test_a_presigned_url_opens_just_its_own_file(practice):
    url = practice.tournament().query('query { dataset(filename: "v5.2/live.parquet") }')
    assert requests.get(url, timeout=30).status_code == 200
    other = url.replace("live.parquet", "train.parquet")
    assert requests.get(other, timeout=30).status_code == 403
    assert requests.get(url.partition("?")[0], timeout=30).status_code == 403


def test_its_controls_need_the_password(practice):
    answer = requests.post(f"{practice.url}/practice/clock", json={"to": None}, timeout=30)
    assert answer.status_code == 403


@pytest.mark.process
def test_it_goes_on_where_it_was_after_it_was_stopped(tmp_path):
    setup = ServerSetup(tmp_path / "state", 0, ("mine",), True, None)
    first = process_control.start_server(setup, Deadline.after(90))
    before = process_control.server_status(first)
    assert process_control.stop_server(setup.folder, Deadline.after(30))
    assert not (setup.folder / RUNNING_FILE).exists()
    assert process_control.find_server(setup.folder) is None
    assert not process_control.stop_server(setup.folder, Deadline.after(30))
    second = process_control.start_server(setup, Deadline.after(90))
    try:
        after = process_control.server_status(second)
        assert second.pid != first.pid
        assert (after["round"], after["models"]) == (before["round"], ["mine"])
    finally:
        process_control.stop_server(setup.folder, Deadline.after(30))


def test_a_port_in_use_is_reported(tmp_path, web):
    port = int(web.url.rpartition(":")[2])
    setup = ServerSetup(tmp_path / "state", port, ("mine",), True, None)
    with pytest.raises(TournamentUnavailable, match="in use"):
        process_control.start_server(setup, Deadline.after(60))


def test_the_keys_file_is_private_and_the_store_has_no_secret(practice):
    file = practice.folder / "practice.env"
    assert file.stat().st_mode & 0o077 == 0
    secret = practice.keys["NUMERAI_SECRET_KEY"].encode()
    kept = b"".join(path.read_bytes() for path in practice.folder.glob("practice.sqlite*"))
    assert secret not in kept


def test_a_fault_that_there_is_not_is_refused(practice):
    with pytest.raises(TournamentUnavailable, match="expected one of 5xx"):
        practice.fault("nonsense")
    with pytest.raises(TournamentUnavailable, match="expected a share"):
        practice.fault("5xx", share=2)


def test_a_query_that_is_not_graphql_is_refused(practice):
    answer = requests.post(practice.url, data="{", timeout=30)
    assert answer.status_code == 400
    answer = requests.post(practice.url, json={"query": "query { nothing }"}, timeout=30)
    assert "Cannot query field 'nothing'" in json.dumps(answer.json())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_header_is_refused(practice, host):
    for path in ("/", "/practice/status", "/data/x"):
        answer = requests.post(f"{practice.url}{path}", headers={"Host": host}, json={}, timeout=30)
        assert (answer.status_code, answer.text) == (400, "Invalid host header")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000, "[]", "null", "7"])
def test_json_that_is_too_deep_or_no_object_is_a_bad_request(practice, body):
    headers = {CONTROL_HEADER: practice.server.control}
    for path in ("/", "/practice/clock", "/practice/fault", "/practice/stake"):
        answer = requests.post(f"{practice.url}{path}", data=body, headers=headers, timeout=30)
        assert answer.status_code == 400, path


def test_a_query_that_is_too_deep_is_refused(practice):
    query = "query " + "{a" * 50_000 + "}" * 50_000
    answer = requests.post(practice.url, json={"query": query}, timeout=30)
    assert answer.json()["errors"]

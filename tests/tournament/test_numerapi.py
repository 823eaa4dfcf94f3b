"""The unchanged numerapi works with the practice server."""

import json
import os
import subprocess
import sys

import pytest

# What a user's script does with numerapi; only the address is another.
SCRIPT = """
import json, os, sys
import pandas as pd
import numerapi
from numerapi import base_api

base_api.API_TOURNAMENT_URL = os.environ["NUMERAI_API_URL"]
api = numerapi.NumerAPI(verbosity="ERROR", show_progress_bars=False)
name, pickle = sys.argv[1:]
found = {"place": numerapi.__file__}
found["datasets"] = api.list_datasets()
found["round"], found["open"] = api.get_current_round(), api.check_round_open()
found["new"] = api.check_new_round()
found["rounds"] = [each["number"] for each in api.get_competitions()]
found["models"] = api.get_models()
model = found["models"][name]
found["file"] = api.download_dataset("v5.2/live.parquet", "live.parquet")
live = pd.read_parquet("live.parquet")
values = live.filter(like="feature_").iloc[:, :42].mean(axis=1).rank(pct=True)
frame = pd.DataFrame({"id": live.index, "prediction": values.to_numpy()})
found["submission"] = api.upload_predictions(df=frame, model_id=model)
found["submissions"] = [each["id"] for each in api.submission_ids(model)]
found["filenames"] = api.get_submission_filenames(round_num=found["round"], model_id=model)
api.download_submission(found["submission"], dest_path="submission.csv")
found["same"] = pd.read_csv("submission.csv").equals(frame)
found["images"] = api.model_upload_docker_images()
found["versions"] = api.model_upload_data_versions()
found["pickle"] = api.model_upload(
    pickle, model_id=model, data_version="v5.2", docker_image="Python 3.12"
)
api.stake_set(7, model)
found["stake"] = str(api.stake_get(name))
if hasattr(api, "rounds"):
    configs = api.rounds(number=0)[0]["roundScoreConfigs"]
    found["multipliers"] = [each["defaultMultiplier"] for each in configs]
found["performances"] = len(api.round_model_performances_v2(model))
found["scores"] = api.submission_scores(model) if hasattr(api, "submission_scores") else []
if hasattr(api, "pending_model_payouts"):
    payouts = api.pending_model_payouts()
    found["payouts"] = [each for each in payouts["pending"] if each["modelName"] == name]
found["account"] = api.get_account()["username"]
print(json.dumps(found))
"""


@pytest.fixture
def script(practice, environment, tmp_path, pickled):
    def run(name, path="", **variables):
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT, name, str(pickled())],
            capture_output=True,
            text=True,
            timeout=110,
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": path, **variables},
        )

    return run


def releases():
    """The locked release, and those that NUMERAPI_RELEASES has directories of."""
    return ["", *filter(None, os.environ.get("NUMERAPI_RELEASES", "").split(os.pathsep))]


@pytest.mark.parametrize("release", releases(), ids=lambda path: path or "locked")
def test_every_call_of_the_unchanged_client_is_answered(practice, script, release):
    name = practice.model()
    practice.open_round()  # on a Sunday the open one is older than the client calls new
    ended = script(name, release)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["place"].startswith(release)
    assert "v5.2/live.parquet" in found["datasets"]
    assert found["open"] is True
    assert found["new"] is True
    assert found["round"] in found["rounds"]
    assert found["models"][name] == practice.models[name]
    assert found["submissions"] == [found["submission"]]
    assert [each["round_num"] for each in found["filenames"]] == [found["round"]]
    assert found["same"] is True
    assert {"Python 3.11", "Python 3.12"} <= found["images"].keys()
    assert found["versions"].keys() == {"v5.2", "v5.3"}
    assert found["account"] == "practice"
    assert float(found["stake"]) == 7
    assert found.get("multipliers", [0.75, 2.25]) == [0.75, 2.25]
    assert found["performances"] == 1
    assert found["scores"] == []
    assert found.get("payouts", []) == []
    (row,) = practice.submissions(name)
    assert row["id"] == found["submission"]
    assert practice.store.row("SELECT image FROM pickles WHERE id = ?", found["pickle"])


def test_a_wrong_key_is_refused_with_the_tournaments_message(practice, script):
    ended = script(practice.model(), NUMERAI_SECRET_KEY="NOTTHEKEY")
    assert ended.returncode == 1
    assert "session is invalid or expired" in ended.stderr


def test_the_client_sees_a_round_close_by_its_own_clock(practice, environment, tmp_path):
    program = (
        "import os; from numerapi import NumerAPI, base_api;"
        "base_api.API_TOURNAMENT_URL = os.environ['NUMERAI_API_URL'];"
        "print(NumerAPI(verbosity='ERROR').check_round_open())"
    )
    seen = []
    for hours in (0, 30, 30):  # a round of the weekend is open for longer than 30 hours
        practice.advance(hours=hours)
        command = [sys.executable, "-W", "ignore", "-c", program]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path
        )
        seen.append(ended.stdout.strip())
    assert seen[0] == "True"
    assert "False" in seen

"""The unchanged numerapi takes the practice tournament for the real one."""

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
told = {"place": numerapi.__file__}
told["datasets"] = api.list_datasets()
told["round"], told["open"] = api.get_current_round(), api.check_round_open()
told["new"] = api.check_new_round()
told["rounds"] = [each["number"] for each in api.get_competitions()]
told["models"] = api.get_models()
model = told["models"][name]
told["file"] = api.download_dataset("v5.2/live.parquet", "live.parquet")
live = pd.read_parquet("live.parquet")
values = live.filter(like="feature_").iloc[:, :42].mean(axis=1).rank(pct=True)
frame = pd.DataFrame({"id": live.index, "prediction": values.to_numpy()})
told["submission"] = api.upload_predictions(df=frame, model_id=model)
told["submissions"] = [each["id"] for each in api.submission_ids(model)]
told["filenames"] = api.get_submission_filenames(round_num=told["round"], model_id=model)
api.download_submission(told["submission"], dest_path="submission.csv")
told["same"] = pd.read_csv("submission.csv").equals(frame)
told["images"] = api.model_upload_docker_images()
told["versions"] = api.model_upload_data_versions()
told["pickle"] = api.model_upload(
    pickle, model_id=model, data_version="v5.2", docker_image="Python 3.12"
)
told["account"] = api.get_account()["username"]
print(json.dumps(told))
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
    """The locked release, and those that NUMERAPI_RELEASES has folders of."""
    return ["", *filter(None, os.environ.get("NUMERAPI_RELEASES", "").split(os.pathsep))]


@pytest.mark.parametrize("release", releases(), ids=lambda path: path or "locked")
def test_every_call_of_the_unchanged_client_is_answered(practice, script, release):
    name = practice.model()
    practice.open_round()  # on a Sunday the open one is older than the client calls new
    ended = script(name, release)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["place"].startswith(release)
    assert "v5.2/live.parquet" in told["datasets"]
    assert told["open"] is True
    assert told["new"] is True
    assert told["round"] in told["rounds"]
    assert told["models"][name] == practice.models[name]
    assert told["submissions"] == [told["submission"]]
    assert [each["round_num"] for each in told["filenames"]] == [told["round"]]
    assert told["same"] is True
    assert {"Python 3.11", "Python 3.12"} <= told["images"].keys()
    assert told["versions"].keys() == {"v5.2", "v5.3"}
    assert told["account"] == "practice"
    (row,) = practice.submissions(name)
    assert row["id"] == told["submission"]
    assert practice.store.row("SELECT image FROM pickles WHERE id = ?", told["pickle"])


def test_a_wrong_key_is_refused_in_the_tournaments_words(practice, script):
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
    for hours in (0, 30):
        practice.advance(hours=hours)
        command = [sys.executable, "-W", "ignore", "-c", program]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env=environment, cwd=tmp_path
        )
        seen.append(ended.stdout.strip())
    assert seen == ["True", "False"]

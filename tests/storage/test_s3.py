"""`s3://` by boto3, from the environment: models in, predictions out."""

import time

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DeadlinePassed,
    FetchFailed,
    FetchInterrupted,
    UploadFailed,
    UploadInterrupted,
)
from numerai_predict.storage.destinations import S3Prefix, deliver, destination_of
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import S3Object, source_of

QUICK = TransferPolicy(retry=RetryPolicy(3, Backoff(0.01, 0.05)))
DATA = bytes(range(256)) * 4000
SOON = ("--deadline", 8)


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "live_predictions-0123456789ab.csv"
    path.write_bytes(b"id,prediction\na,0.5\n")
    return path


def test_an_object_is_fetched_with_the_suffix_of_its_key(s3, tmp_path):
    s3.client.put_object(Bucket="models", Key="a b/m.pkl.gz", Body=DATA)
    path = source_of("s3://models/a b/m.pkl.gz").fetch(tmp_path, QUICK)
    assert (path.read_bytes(), path.suffix) == (DATA, ".gz")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("url", ["s3://models/gone.pkl", "s3://no-such-bucket/m.pkl"])
def test_a_missing_object_fails_with_the_message_of_s3(s3, tmp_path, url):
    with pytest.raises(FetchFailed, match=r"HTTP 404.*NoSuch") as failed:
        source_of(url).fetch(tmp_path, QUICK)
    assert not isinstance(failed.value, FetchInterrupted)
    assert list(tmp_path.iterdir()) == []


def test_missing_credentials_are_reported(s3, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(FetchFailed, match="Unable to locate credentials") as failed:
        source_of("s3://models/m.pkl").fetch(tmp_path, QUICK)
    assert not isinstance(failed.value, FetchInterrupted)


@pytest.mark.parametrize(
    "url", ["s3://", "s3://models", "s3://models/", "s3:///m.pkl", "s3://a?b/c"]
)
def test_what_names_no_object_is_no_source(url):
    with pytest.raises(ValueError, match="expected s3://bucket/"):
        source_of(url)


def test_the_scheme_may_be_written_in_any_case():
    assert source_of("S3://Models/m.pkl") == S3Object("Models", "m.pkl")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("s3://predictions", "live_predictions-0123456789ab.csv"),
        ("s3://predictions/", "live_predictions-0123456789ab.csv"),
        ("s3://predictions/a/b", "a/b/live_predictions-0123456789ab.csv"),
        ("s3://predictions/a/b/", "a/b/live_predictions-0123456789ab.csv"),
    ],
)
def test_a_file_is_stored_below_a_prefix_under_its_own_name(s3, csv, url, key):
    assert deliver(csv, [destination_of(url)], QUICK) == f"s3://predictions/{key}"
    assert s3.keys("predictions") == [key]
    assert s3.read("predictions", key) == csv.read_bytes()


def test_a_bucket_that_is_not_there_is_a_failed_upload_of_a_saved_file(s3, csv):
    with pytest.raises(UploadFailed, match=r"NoSuchBucket.*saved in .*0123456789ab\.csv") as failed:
        deliver(csv, [S3Prefix("no-such-bucket", "")], QUICK)
    assert not isinstance(failed.value, UploadInterrupted)


@pytest.fixture
def faulty(s3, faults, monkeypatch):
    """boto3 finds a server with planned faults."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", faults.url)
    return faults


@pytest.mark.parametrize(
    "fault",
    ["reset before", "500", "503", "slow down", "request timeout", "truncated", "corrupt"],
)
def test_a_fetch_that_broke_is_tried_again(faulty, tmp_path, fault):
    faulty.objects["/models/m.pkl"] = DATA
    faulty.plan["/models/m.pkl"] = [fault]
    assert source_of("s3://models/m.pkl").fetch(tmp_path, QUICK).read_bytes() == DATA
    assert len(faulty.asked) == 2


def test_what_broke_is_taken_up_where_it_broke(faulty, tmp_path):
    faulty.objects["/models/m.pkl"] = DATA
    faulty.plan["/models/m.pkl"] = ["truncated"]
    assert source_of("s3://models/m.pkl").fetch(tmp_path, QUICK).read_bytes() == DATA
    assert faulty.asked[1].headers["range"] == f"bytes={len(DATA) // 2}-"
    assert faulty.asked[1].headers["if-match"]


def test_an_object_that_was_replaced_meanwhile_is_begun_again(faulty, tmp_path):
    faulty.objects["/models/m.pkl"] = DATA
    faulty.plan["/models/m.pkl"] = ["replaced meanwhile"]
    assert source_of("s3://models/m.pkl").fetch(tmp_path, QUICK).read_bytes() == DATA


def test_a_refusal_is_not_tried_again(faulty, tmp_path):
    faulty.plan["/models/m.pkl"] = ["expired token"]
    with pytest.raises(FetchFailed, match="ExpiredToken"):
        source_of("s3://models/m.pkl").fetch(tmp_path, QUICK)
    assert len(faulty.asked) == 1


def test_a_server_that_stalls_is_left_at_the_deadline(faulty, tmp_path):
    faulty.plan["/models/m.pkl"] = ["drip headers"] * 9
    deadline = Deadline.after(1.5)
    with pytest.raises((DeadlinePassed, FetchInterrupted), match="deadline"):
        source_of("s3://models/m.pkl").fetch(tmp_path, TransferPolicy(deadline))
    assert time.monotonic() - deadline.at < 1


def test_a_run_reads_its_model_and_data_from_s3_and_writes_its_predictions_there(
    run_model, pickle_model, sample, s3, tmp_path
):
    s3.client.put_object(Bucket="models", Key="m.pkl", Body=pickle_model(ranks).read_bytes())
    live = (sample / "live.parquet").read_bytes()
    s3.client.put_object(Bucket="models", Key="live.parquet", Body=live)
    run = run_model(
        "s3://models/m.pkl",
        *("--dataset", "s3://models/live.parquet", "--output_dir", "s3://predictions/round 7"),
        *("--debug",),
        environment=s3.environment,
    )
    assert run.exit_code == 0, run.text
    (key,) = s3.keys("predictions")
    assert key.startswith("round 7/live_predictions-")
    assert run.record["delivered_to"] == f"s3://predictions/{key}"
    assert run.record["model"]["source"] == "s3://models/m.pkl"
    stored = s3.read("predictions", key)
    assert len(stored.splitlines()) == 201
    local = run.record["predictions"]["path"]
    assert local == str(tmp_path / "temporary" / key.rpartition("/")[2])
    with open(local, "rb") as saved:
        assert saved.read() == stored


def test_a_run_whose_bucket_is_gone_has_saved_its_predictions(run_model, s3, tmp_path):
    run = run_model(ranks, "--output_dir", "s3://no-such-bucket/a", environment=s3.environment)
    assert run.exit_code == 40
    (saved,) = (tmp_path / "temporary").glob("live_predictions-*.csv")
    assert len(saved.read_text().splitlines()) == 201
    assert "NoSuchBucket" in run.record["message"]
    assert str(saved) in run.record["message"]


def test_a_form_is_tried_also_where_the_bucket_failed(run_model, s3, web):
    web.replies["/bucket"] = web.reply(status=204)
    run = run_model(
        ranks,
        *("--output_dir", "s3://no-such-bucket/a"),
        *("--post_url", f"{web.url}/bucket", "--post_data", "key=some-key"),
        environment=s3.environment,
    )
    assert run.exit_code == 40
    assert f"delivered to {web.url}/bucket" in run.record["message"]
    assert len(web.requests) == 1

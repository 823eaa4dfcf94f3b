"""Numerai data sets by name, against a local server in place of the tournament API."""

import json

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchFailed, FetchInterrupted
from numerai_predict.storage.dataset_urls import dataset_url
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import source_of


def ranks(live_features, live_benchmark_models=None):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


@pytest.fixture
def api(web, sample, monkeypatch):
    """The API: it names URLs of the same server, which serves the sample."""

    def answer(request):
        name = json.loads(request.body)["variables"]["filename"]
        if not (sample / name.removeprefix("v5.2/")).is_file():
            return web.reply(b'{"errors": [{"message": "File not found"}]}')
        url = f"{web.url}/data/{name}?X-Amz-Signature=SECRET"
        return web.reply(json.dumps({"data": {"dataset": url}}).encode())

    web.replies["/graphql"] = answer
    for name in ("live.parquet", "live_benchmark_models.parquet"):
        web.replies[f"/data/v5.2/{name}"] = web.reply((sample / name).read_bytes())
    monkeypatch.setenv("NUMERAI_API_URL", f"{web.url}/graphql")
    return f"{web.url}/graphql"


def test_the_url_is_requested_from_the_api(api, web):
    url = dataset_url("v5.2/live.parquet", Deadline())
    assert url == f"{web.url}/data/v5.2/live.parquet?X-Amz-Signature=SECRET"
    (request,) = web.requests
    asked = json.loads(request.body)
    assert asked["variables"] == {"filename": "v5.2/live.parquet"}
    assert "dataset" in asked["query"]
    assert "Authorization" not in request.headers


def test_a_refusal_is_permanent_and_has_the_tournaments_message(api):
    with pytest.raises(FetchFailed, match="File not found") as failed:
        dataset_url("v5.2/gone.parquet", Deadline())
    assert not isinstance(failed.value, FetchInterrupted)
    assert "list_datasets" in failed.value.remedy


@pytest.mark.parametrize("body", [b"{}", b'{"data": null}', b'{"data": {"dataset": null}}', b"<p>"])
def test_an_answer_without_a_url_is_transient(api, web, body):
    web.replies["/graphql"] = web.reply(body)
    with pytest.raises(FetchInterrupted, match="no response"):
        dataset_url("v5.2/live.parquet", Deadline())


def test_no_connection_is_transient(monkeypatch, closed_port):
    monkeypatch.setenv("NUMERAI_API_URL", f"http://127.0.0.1:{closed_port}/")
    with pytest.raises(FetchInterrupted, match="no response"):
        dataset_url("v5.2/live.parquet", Deadline())


@pytest.mark.slow
def test_a_broken_server_is_transient(api, web):
    """numerapi itself asks three times, 5 and 10 seconds apart."""
    web.replies["/graphql"] = web.reply(b"", 500)
    with pytest.raises(FetchInterrupted, match="no response"):
        dataset_url("v5.2/live.parquet", Deadline())


def test_the_deadline_bounds_the_question(api, web):
    web.replies["/graphql"] = web.reply(b"", 500)  # numerapi sleeps between its tries
    with pytest.raises(DeadlinePassed, match="fetch"):
        dataset_url("v5.2/live.parquet", Deadline.after(2))


def test_data_sets_run_by_name(run_model, api, web):
    run = run_model(
        ranks,
        *("--dataset", "v5.2/live.parquet"),
        *("--benchmarks", "v5.2/live_benchmark_models.parquet"),
        environment={"NUMERAI_API_URL": api},
    )
    run.succeeds()
    assert run.record["dataset"]["source"] == "v5.2/live.parquet"
    assert run.record["dataset"]["rows"] == 200
    assert run.record["benchmarks"]["source"] == "v5.2/live_benchmark_models.parquet"
    assert "SECRET" not in run.text + str(run.record)
    assert len(web.requests) == 4


@pytest.mark.parametrize("image", ["numerai_predict_py_3_12:latest", ""])
def test_files_of_an_earlier_run_are_not_taken_for_the_tournaments(run_model, api, tmp_path, image):
    """The working directory of an image is /tmp, where an earlier run left its files."""
    (tmp_path / "v5.2").mkdir()
    for name in ("live.parquet", "live_benchmark_models.parquet"):
        (tmp_path / "v5.2" / name).write_bytes(b"of another round")
    names = ("v5.2/live.parquet", "v5.2/live_benchmark_models.parquet")
    environment = {"NUMERAI_API_URL": api, "NUMERAI_PREDICT_IMAGE": image}
    run = run_model(ranks, "--dataset", names[0], "--benchmarks", names[1], environment=environment)
    run.succeeds()
    assert run.record["dataset"]["rows"] == 200
    for name in names:
        assert any(f"for the file write ./{name}" in each for each in run.record["warnings"])
    (tmp_path / "second").mkdir()
    run = run_model(
        ranks,
        *("--dataset", f"./{names[0]}"),
        output=tmp_path / "second",
        environment=environment,
    )
    run.fails_as("dataset_unavailable", "expected a parquet file in ./v5.2/live.parquet")


def test_in_an_image_data_without_a_path_or_a_name_are_an_error_of_usage(run_model):
    run = run_model(
        ranks, "--dataset", "live.parquet", environment={"NUMERAI_PREDICT_IMAGE": "image"}
    )
    assert run.exit_code == 2
    assert "for a file write ./live.parquet" in run.text


def test_a_data_set_that_the_tournament_does_not_have_is_unavailable(run_model, api):
    run = run_model(ranks, "--dataset", "v5.2/gone.parquet", environment={"NUMERAI_API_URL": api})
    run.fails_as("dataset_unavailable", "v5.2/gone.parquet", "File not found", "list_datasets")


def test_an_unreachable_api_is_retried_and_reported_with_a_remedy(
    monkeypatch, closed_port, tmp_path
):
    monkeypatch.setenv("NUMERAI_API_URL", f"http://127.0.0.1:{closed_port}/")
    policy = TransferPolicy(retry=RetryPolicy(2, Backoff(0.01)))
    with pytest.raises(FetchInterrupted, match=r"v5\.2/live\.parquet.*2 attempts") as failed:
        source_of("v5.2/live.parquet").fetch(tmp_path, policy)
    assert "network" in failed.value.remedy
    assert "data sample" in failed.value.remedy

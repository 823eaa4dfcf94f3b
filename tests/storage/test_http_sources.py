"""Models and data over HTTP: whole, or not at all, and never with their secrets."""

import threading

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchFailed, FetchInterrupted
from numerai_predict.storage.retry import RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import HttpUrl

NO_DEADLINE = Deadline()
SOON = ("--deadline", 8)  # bounds the tries
QUERY = "X-Amz-Signature=SECRET"


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


@pytest.fixture
def fetch(web, tmp_path):
    """Download from the server; after a failure the directory is as empty as before."""

    def get(path="/m.pkl", deadline=NO_DEADLINE, url=None):
        try:
            return HttpUrl(url or f"{web.url}{path}?{QUERY}").fetch(
                tmp_path, TransferPolicy(deadline, RetryPolicy(attempts=1))
            )
        except (FetchFailed, DeadlinePassed) as error:
            assert list(tmp_path.iterdir()) == []
            if "SECRET" in error.message + error.remedy:
                pytest.fail("the error shows the query")
            raise

    return get


def test_the_bytes_arrive_in_a_file_with_the_suffix_of_the_url(fetch, web, tmp_path):
    web.replies["/a/m.pkl.gz"] = web.reply(b"\x1f\x8b bytes" * 100_000)
    path = fetch("/a/m.pkl.gz")
    assert path.suffix == ".gz"
    assert path.read_bytes() == b"\x1f\x8b bytes" * 100_000
    assert list(tmp_path.iterdir()) == [path]
    assert web.requests[0].query == QUERY


def test_a_url_without_a_name_is_fetched_too(fetch, web):
    web.replies["/"] = web.reply(b"x")
    assert fetch("/").read_bytes() == b"x"


def test_a_redirect_is_followed(fetch, web):
    web.replies["/m.pkl"] = web.reply(status=302, headers={"Location": "/other"})
    web.replies["/other"] = web.reply(b"x")
    assert fetch().read_bytes() == b"x"


def test_bytes_are_taken_as_they_are_stored(fetch, web):
    web.replies["/m.pkl"] = web.reply(b"x")
    fetch()
    assert web.requests[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_permanent_and_names_the_status(fetch, web, status):
    web.replies["/m.pkl"] = web.reply(b"", status)
    with pytest.raises(FetchFailed, match=f"HTTP {status}") as failed:
        fetch()
    assert not isinstance(failed.value, FetchInterrupted)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 599])
def test_an_answer_that_asks_to_come_back_is_transient(fetch, web, status):
    web.replies["/m.pkl"] = web.reply(b"", status)
    with pytest.raises(FetchInterrupted, match=f"HTTP {status}"):
        fetch()


def test_the_code_of_s3_is_named_and_nothing_else_of_the_body(fetch, web):
    body = b"<Error><Code>ExpiredToken</Code><Message>It has expired.</Message></Error>"
    web.replies["/m.pkl"] = web.reply(body, 400)
    with pytest.raises(FetchFailed, match=r"HTTP 400 Bad Request, ExpiredToken$"):
        fetch()
    body = b"<Error><Code>INNER</Code><Message>INNER</Message><RequestId>INNER</RequestId></Error>"
    web.replies["/m.pkl"] = web.reply(body, 403)
    with pytest.raises(FetchFailed, match="HTTP 403 Forbidden") as failed:
        fetch()
    assert "INNER" not in failed.value.message


def test_a_body_shorter_than_declared_is_an_interrupted_fetch(fetch, web):
    web.replies["/m.pkl"] = web.reply(b"half", headers={"Content-Length": "8"})
    with pytest.raises(FetchInterrupted):
        fetch()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{}/m.pkl?SECRET", "http://user:SECRET@127.0.0.1:{}/m.pkl"]
)
def test_a_refused_connection_is_an_interrupted_fetch(fetch, closed_port, url):
    with pytest.raises(FetchInterrupted, match="no connection"):
        fetch(url=url.format(closed_port))


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///m.pkl?SECRET",
        "http://127.0.0.1:port/m.pkl?SECRET",
        "http://127.0.0.1:99999/m.pkl?SECRET",
        "http://" + "a" * 64 + ".invalid/m.pkl?SECRET",
        "http://a..b/m.pkl?SECRET",
        "http://*/m.pkl?SECRET",
    ],
)
def test_a_url_that_is_none_is_a_failed_fetch(fetch, url):
    with pytest.raises(FetchFailed):
        fetch(url=url)


@pytest.mark.parametrize(
    "name",
    ["/" + "n" * 250 + ".pkl", "/..", "/%00", "/.", "/a%2F..", "/x/"],
    ids=lambda name: name[:9],
)
def test_no_name_in_a_url_is_too_odd_for_a_file(fetch, web, name, tmp_path):
    web.replies[name] = web.replies["/"] = web.reply(b"x")  # requests itself resolves dots
    path = fetch(name)
    assert path.read_bytes() == b"x"
    assert path.parent == tmp_path


def test_a_passed_deadline_sends_no_request(fetch, web):
    with pytest.raises(DeadlinePassed, match="fetch"):
        fetch(deadline=Deadline(at=0.0, seconds=1))
    assert web.requests == []


@pytest.mark.timeout(10)
def test_a_server_that_drips_for_ever_is_left_at_the_deadline(fetch, web):
    web.replies["/m.pkl"] = web.reply(b"", headers={"Content-Length": "1000000"}, drip_seconds=0.05)
    with pytest.raises(DeadlinePassed, match="fetch"):
        fetch(deadline=Deadline.after(1))


@pytest.mark.timeout(10)
def test_a_server_that_sends_nothing_is_left_at_the_deadline(web, tmp_path):
    waiting = threading.Event()

    def reply_late(_request):
        waiting.wait(15)
        return web.reply(b"")

    web.replies["/m.pkl"] = reply_late
    try:
        with pytest.raises((DeadlinePassed, FetchInterrupted)):
            HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, TransferPolicy(Deadline.after(1)))
    finally:
        waiting.set()


def test_a_model_and_data_run_from_urls_without_showing_them(run_model, pickle_model, sample, web):
    web.replies["/m.pkl"] = web.reply(pickle_model(ranks).read_bytes())
    web.replies["/live.parquet"] = web.reply((sample / "live.parquet").read_bytes())
    run = run_model(
        f"{web.url}/m.pkl?{QUERY}", "--dataset", f"{web.url}/live.parquet?{QUERY}", "--debug"
    )
    run.succeeds()
    assert run.record["model"]["source"] == f"{web.url}/m.pkl"
    assert run.record["dataset"]["source"] == f"{web.url}/live.parquet"
    assert "SECRET" not in run.text + str(run.record)


@pytest.mark.parametrize(
    ("status", "words"), [(404, "presigned"), (500, "try again"), (None, "no connection")]
)
def test_a_model_that_cannot_be_had_is_unavailable(run_model, web, closed_port, status, words):
    url = web.url if status else f"http://127.0.0.1:{closed_port}"
    web.replies["/m.pkl"] = web.reply(b"", status or 0)
    run = run_model(f"{url}/m.pkl?{QUERY}", "--debug", *SOON)
    run.fails_as("model_unavailable", f"{url}/m.pkl", words)
    assert "SECRET" not in run.text + str(run.record)


def test_a_model_that_arrives_cut_short_is_unavailable(run_model, web):
    web.replies["/m.pkl"] = web.reply(b"half", headers={"Content-Length": "8"})
    run = run_model(f"{web.url}/m.pkl", *SOON)
    run.fails_as("model_unavailable", "try again", "attempts")


def test_data_that_cannot_be_had_are_unavailable(run_model, web):
    run = run_model(ranks, "--dataset", f"{web.url}/gone.parquet?{QUERY}")
    run.fails_as("dataset_unavailable", "404", "presigned")
    assert "SECRET" not in run.text + str(run.record)


def test_a_url_that_names_no_host_is_a_wrong_option(run_model):
    run = run_model("http://[::1/m.pkl?SECRET")
    assert run.exit_code == 2
    assert "expected a URL with a host name, found none in http://[::1/m.pkl" in run.text
    assert "SECRET" not in run.text


def test_a_full_disk_is_no_error_of_the_server(run_model, pickle_model, web):
    web.replies["/m.pkl"] = web.reply(bytes(200_000))
    run = run_model(f"{web.url}/m.pkl", wrapper=("prlimit", "--fsize=100000"))
    run.fails_as("model_unavailable", "File too large", "TMPDIR")
    assert len(web.requests) == 1


@pytest.mark.parametrize("deadline", ["1e300", "1e9"])
def test_a_deadline_beyond_all_clocks_is_one(run_model, pickle_model, web, deadline):
    web.replies["/m.pkl"] = web.reply(pickle_model(ranks).read_bytes())
    run_model(f"{web.url}/m.pkl", "--deadline", deadline).succeeds()

"""What may pass is tried again, what may not is not, and nothing outlives the deadline."""

import email.utils
import socket
import threading
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
from numerai_predict.contract.job import PresignedPost
from numerai_predict.storage.presigned.post import post_file
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy, TransferTimeouts
from numerai_predict.storage.sources import HttpUrl

QUICK = RetryPolicy(4, Backoff(0.01, 0.05))
LATE_SECONDS = 1.0


@pytest.fixture
def fetch(faults, tmp_path):
    """Fetch an object whose first responses have planned faults."""
    data = bytes(range(256)) * 1000
    faults.objects["/m.pkl"] = data

    def get(*plan, deadline=None, **policy):
        faults.plan["/m.pkl"] = list(plan)
        policy = TransferPolicy(deadline or Deadline(), **{"retry": QUICK, **policy})
        path = HttpUrl(f"{faults.url}/m.pkl?SECRET").fetch(tmp_path, policy)
        assert path.read_bytes() == data

    return get


@pytest.fixture
def post(faults, tmp_path):
    """Post a file to a server with planned faults; how often it was stored."""
    csv = tmp_path / "p.csv"
    csv.write_bytes(b"id,prediction\n" + b"a,0.5\n" * 300_000)

    def send(*plan, deadline=None, retry=QUICK):
        faults.plan["/bucket"] = list(plan)
        form = PresignedPost(f"{faults.url}/bucket?SECRET", (("key", "k"),))
        post_file(csv, form, TransferPolicy(deadline or Deadline(), retry))
        stored = faults.stored["/bucket"]
        assert set(stored) == {csv.read_bytes()}
        return len(stored)

    return send


PASSING = ["reset before", "500", "503", "slow down", "429, retry after", "request timeout"]
PASSING_GETS = ["truncated", "reset within", "too long", "too short", "corrupt", "truncated gzip"]


@pytest.mark.parametrize("fault", [*PASSING, *PASSING_GETS[:-1], "replaced meanwhile"])
def test_a_fetch_that_broke_is_tried_again(fetch, faults, fault):
    fetch(fault)
    assert len(faults.asked) in (2, 3)  # the rest may be requested in between


@pytest.mark.parametrize("fault", [*PASSING, "reset within"])
def test_an_upload_that_broke_is_tried_again(post, fault):
    assert post(fault) == 1


def test_an_answer_that_is_lost_after_the_object_was_stored_stores_the_same_bytes_twice(post):
    assert post("lost answer") == 2


@pytest.mark.parametrize(
    ("fault", "words"), [("403", "AccessDenied"), ("expired token", "ExpiredToken")]
)
def test_a_refusal_is_not_tried_again(fetch, post, faults, fault, words):
    with pytest.raises(FetchFailed, match=words) as failed:
        fetch(fault)
    assert not isinstance(failed.value, FetchInterrupted)
    with pytest.raises(UploadFailed, match=words) as failed:
        post(fault)
    assert not isinstance(failed.value, UploadInterrupted)
    assert len(faults.asked) == 2


def test_stale_credentials_are_distinguished_from_an_expired_request(fetch):
    with pytest.raises(FetchFailed) as failed:
        fetch("expired token")
    assert "credentials that signed the request have expired" in failed.value.remedy


def test_an_endless_redirect_is_not_tried_again(fetch, faults):
    with pytest.raises(FetchFailed, match="TooManyRedirects"):
        fetch("endless redirect")
    assert len(faults.asked) == 11


def test_without_a_deadline_the_attempts_are_limited_and_counted(fetch, faults):
    with pytest.raises(FetchInterrupted, match="gave up after 4 attempts"):
        fetch(*["500"] * 9)
    assert len(faults.asked) == 4


def test_a_deadline_allows_as_many_attempts_as_fit(fetch, faults):
    fetch(*["500"] * 9, deadline=Deadline.after(20))
    assert len(faults.asked) == 10


def test_if_no_other_attempt_fits_the_last_failure_is_raised_and_not_the_deadline(fetch):
    with pytest.raises(FetchInterrupted, match=r"HTTP 500 .* no time for another"):
        fetch(*["500"] * 99, deadline=Deadline.after(1), retry=RetryPolicy(backoff=Backoff(0.3)))


def test_the_server_may_ask_for_a_pause(fetch, web, tmp_path):
    began = time.monotonic()
    fetch("429, retry after")
    assert time.monotonic() - began >= 1


def test_retry_after_may_be_a_date_of_the_servers_clock(web, tmp_path):
    hours_off = time.time() - 7200
    busy = web.reply(b"", 503, {"Retry-After": email.utils.formatdate(hours_off + 2, usegmt=True)})
    busy.headers["Date"] = email.utils.formatdate(hours_off, usegmt=True)
    answers = iter([busy, web.reply(b"x")])
    web.replies["/m.pkl"] = lambda request: next(answers)
    began = time.monotonic()
    HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=QUICK))
    assert 1 <= time.monotonic() - began < 10


@pytest.mark.parametrize("seconds", [None, 60])
def test_a_pause_that_does_not_fit_ends_the_attempts_at_once(web, tmp_path, seconds):
    web.replies["/m.pkl"] = web.reply(b"", 503, {"Retry-After": "86400"})
    with pytest.raises(FetchInterrupted, match="gave up after 1 attempt"):
        HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, TransferPolicy(Deadline.after(seconds), QUICK))


@pytest.mark.parametrize("asked", ["soon", "-1", "1e9", "²"])
def test_a_pause_that_is_none_is_as_none(web, tmp_path, asked):
    answers = iter([web.reply(b"", 503, {"Retry-After": asked}), web.reply(b"x")])
    web.replies["/m.pkl"] = lambda request: next(answers)
    HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=QUICK))


def test_each_failed_attempt_is_logged(fetch, faults, tmp_path):
    said = []
    faults.plan["/m.pkl"] = ["503"]
    HttpUrl(f"{faults.url}/m.pkl?SECRET").fetch(
        tmp_path, TransferPolicy(retry=QUICK, log=said.append)
    )
    (line,) = said
    assert line.startswith("attempt 1 failed, the next in 0.0 s: expected http://127.0.0.1")
    assert "HTTP 503" in line
    assert "SECRET" not in line


@pytest.mark.parametrize("kind", [FetchInterrupted, UploadInterrupted])
def test_a_deadline_within_another_attempt_raises_the_last_failure(kind):
    over = threading.Event()
    works = iter([interruption(kind), over.wait])
    policy = TransferPolicy(Deadline.after(1), QUICK)
    with pytest.raises(kind, match=r"found HTTP 503; gave up after 1 attempt, .* during the next"):
        policy.repeat(lambda: next(works)(), "fetch")
    over.set()


def test_a_deadline_between_two_attempts_raises_the_last_failure():
    """A try that begins as the deadline passes finds nothing of its own."""
    retry = RetryPolicy(backoff=Backoff(0.01, 0.01))
    for _ in range(20):
        with pytest.raises(FetchInterrupted, match=r"found HTTP 503; gave up after \d+ attempts?"):
            TransferPolicy(Deadline.after(0.2), retry).repeat(
                interruption(FetchInterrupted), "fetch"
            )


def interruption(kind):
    def work():
        raise kind("found HTTP 503", "try again later")

    return work


@pytest.mark.parametrize("fault", ["stall", "drip headers", "drip body"])
def test_no_server_holds_a_fetch_beyond_the_deadline(fetch, fault):
    deadline = Deadline.after(1.5)
    with pytest.raises((DeadlinePassed, FetchInterrupted)):
        fetch(*[fault] * 9, deadline=deadline)
    assert time.monotonic() - deadline.at < LATE_SECONDS


@pytest.mark.parametrize("fault", ["stall", "drip headers", "silent after storing"])
def test_no_server_holds_an_upload_beyond_the_deadline(post, fault):
    deadline = Deadline.after(1.5)
    with pytest.raises((DeadlinePassed, UploadInterrupted)):
        post(*[fault] * 9, deadline=deadline)
    assert time.monotonic() - deadline.at < LATE_SECONDS


def test_a_silent_server_leaves_time_for_another_attempt(fetch, faults):
    fetch("stall", deadline=Deadline.after(4))
    assert len(faults.asked) == 2


def test_a_slow_transfer_is_aborted_for_another_attempt(fetch, faults):
    fetch("drip body", timeouts=TransferTimeouts(read=1.0))
    assert len(faults.asked) == 2


@pytest.mark.server
def test_a_handshake_that_never_ends_is_left_at_the_deadline(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        deadline = Deadline.after(1)
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/m.pkl"
        with pytest.raises((DeadlinePassed, FetchInterrupted)):
            HttpUrl(url).fetch(tmp_path, TransferPolicy(deadline))
        assert time.monotonic() - deadline.at < LATE_SECONDS
        # The try that was left behind ends by itself; a server that is gone in the midst of it
        # would have urllib3 forget its socket.
        for thread in threading.enumerate():
            if thread.name.startswith("hard-timeout-"):
                thread.join(5)


def test_a_host_lookup_that_hangs_ends_at_the_deadline(tmp_path, monkeypatch):
    """`getaddrinfo` has no time limit: only its caller can have one."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(5))
    deadline = Deadline.after(0.5)
    with pytest.raises(DeadlinePassed, match="fetch"):
        HttpUrl("http://name.invalid/m.pkl").fetch(tmp_path, TransferPolicy(deadline))
    assert time.monotonic() - deadline.at < LATE_SECONDS


def test_a_certificate_that_is_not_trusted_is_refused_at_once(bad_tls, tmp_path):
    bad_tls.objects["/m.pkl"] = b"x"
    with pytest.raises(FetchFailed, match="untrusted TLS certificate") as failed:
        HttpUrl(f"{bad_tls.url}/m.pkl?SECRET").fetch(tmp_path, TransferPolicy(retry=QUICK))
    assert not isinstance(failed.value, FetchInterrupted)
    assert bad_tls.asked == []


def test_nothing_is_posted_to_a_server_with_a_certificate_that_is_not_trusted(bad_tls, tmp_path):
    (tmp_path / "p.csv").write_bytes(b"x")
    form = PresignedPost(f"{bad_tls.url}/bucket", (("key", "k"),))
    with pytest.raises(UploadFailed, match="certificate") as failed:
        post_file(tmp_path / "p.csv", form, TransferPolicy(retry=QUICK))
    assert not isinstance(failed.value, UploadInterrupted)
    assert bad_tls.asked == []


def test_a_certificate_of_ones_own_is_trusted_where_the_environment_says_so(
    bad_tls, tmp_path, monkeypatch
):
    bad_tls.objects["/m.pkl"] = b"x"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bad_tls.certificate))
    path = HttpUrl(f"{bad_tls.url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=QUICK))
    assert path.read_bytes() == b"x"


def test_no_tls_where_there_should_be_some_may_pass(web, tmp_path):
    url = web.url.replace("http://", "https://")
    with pytest.raises(FetchInterrupted, match="TLS"):
        HttpUrl(f"{url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=RetryPolicy(attempts=1)))

"""What a presigned POST or GET says of itself is known before, or after, it is tried."""

import base64
import email.utils
import json
import time
from datetime import datetime, timedelta, timezone

import pytest

from numerai_predict.contract.errors import FetchFailed, UploadFailed, UploadInterrupted
from numerai_predict.contract.job import PresignedPost
from numerai_predict.storage.presigned.policy import PostPolicy
from numerai_predict.storage.presigned.post import post_file
from numerai_predict.storage.retry import RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import HttpUrl
from numerai_predict.storage.transfer.http import url_valid_until

ONCE = TransferPolicy(retry=RetryPolicy(attempts=1))


def policy(seconds=3600, conditions=(), form="%Y-%m-%dT%H:%M:%SZ"):
    expires = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    text = json.dumps({"expiration": expires.strftime(form), "conditions": list(conditions)})
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def post(web, tmp_path):
    """Post a file of 100 bytes."""
    (tmp_path / "p.csv").write_bytes(b"x" * 100)

    def send(*fields, transfer_policy=ONCE):
        form = PresignedPost(f"{web.url}/bucket?SECRET", fields)
        return post_file(tmp_path / "p.csv", form, transfer_policy)

    web.replies["/bucket"] = web.reply(status=204)
    return send


@pytest.mark.parametrize("name", ["policy", "Policy", "POLICY"])
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z"])
def test_an_expired_policy_fails_before_anything_is_sent(post, web, name, form):
    with pytest.raises(UploadFailed, match=r"policy expired at 20.*clock says") as failed:
        post((name, policy(-5, form=form)))
    assert not isinstance(failed.value, UploadInterrupted)
    assert "new presigned POST" in failed.value.remedy
    assert web.requests == []


@pytest.mark.parametrize(
    ("bounds", "words"), [((0, 99), "at most 99 bytes"), ((101, 999), "101 bytes or more")]
)
def test_a_policy_for_another_size_fails_before_anything_is_sent(post, web, bounds, words):
    conditions = [{"bucket": "b"}, ["content-length-range", *bounds]]
    with pytest.raises(UploadFailed, match=rf"{words}: the file has 100"):
        post(("policy", policy(conditions=conditions)))
    assert web.requests == []


def test_a_policy_that_expires_between_two_attempts_ends_them_with_that_reason(post, web):
    web.replies["/bucket"] = web.reply(b"", 503, {"Retry-After": "2"})
    with pytest.raises(UploadFailed, match="policy expired"):
        post(("policy", policy(2)), transfer_policy=TransferPolicy())
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "no base64!",
        base64.b64encode(b"no json").decode(),
        base64.b64encode(b"[1]").decode(),
        base64.b64encode(b'{"expiration": 7, "conditions": 8}').decode(),
        base64.b64encode(b'{"expiration": "soon", "conditions": [[], [1, 2, 3]]}').decode(),
        base64.b64encode(b'{"conditions": [["content-length-range", "a", null]]}').decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_policy_that_cannot_be_read_is_the_servers_to_judge(post, web, odd):
    assert post(("policy", odd)) == f"{web.url}/bucket"
    assert PostPolicy.of((("policy", odd),)) == PostPolicy()


def test_a_policy_that_allows_the_file_lets_it_through(post, web):
    fields = [("policy", policy(conditions=[["content-length-range", 100, 100]]))]
    assert post(*fields) == f"{web.url}/bucket"


def test_a_redirect_that_the_form_asks_for_is_success(post, web):
    web.replies["/bucket"] = web.reply(b"", 303, {"Location": "http://127.0.0.1/done?key=k"})
    assert post(("success_action_redirect", "http://127.0.0.1/done")) == f"{web.url}/bucket"
    with pytest.raises(UploadFailed, match="303"):
        post(("key", "k"))


def refused(web, clock=0.0):
    """What S3 says to a signature that is not valid, by a clock that is so far from ours."""
    body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    date = email.utils.formatdate(time.time() + clock, usegmt=True)
    return web.reply(body, 403, {"Date": date})


def query(made_ago, lasts):
    made = datetime.now(timezone.utc) - timedelta(seconds=made_ago)
    return f"X-Amz-Date={made:%Y%m%dT%H%M%SZ}&X-Amz-Expires={lasts}&X-Amz-Signature=SECRET"


@pytest.mark.parametrize(
    "signed",
    [lambda: query(7200, 3600), lambda: f"Expires={int(time.time()) - 3600}&x=SECRET"],
    ids=["newer", "older"],
)
def test_an_expired_url_is_recognized_by_the_servers_clock(web, tmp_path, signed):
    web.replies["/m.pkl"] = refused(web)
    with pytest.raises(FetchFailed, match="it expired 60 min ago by the server's clock"):
        HttpUrl(f"{web.url}/m.pkl?{signed()}").fetch(tmp_path, ONCE)


@pytest.mark.parametrize(("clock", "words"), [(7800, "2 h behind"), (-7800, "2 h ahead of")])
def test_a_wrong_clock_is_distinguished_from_expiry(web, tmp_path, clock, words):
    web.replies["/m.pkl"] = refused(web, clock)
    with pytest.raises(
        FetchFailed, match=f"this machine's clock is {words} the server's"
    ) as failed:
        HttpUrl(f"{web.url}/m.pkl?{query(0, 86400)}").fetch(tmp_path, ONCE)
    assert "set this machine's clock" in failed.value.remedy


def test_a_refusal_within_its_time_by_a_right_clock_is_neither(web, tmp_path):
    web.replies["/m.pkl"] = refused(web)
    with pytest.raises(FetchFailed) as failed:
        HttpUrl(f"{web.url}/m.pkl?{query(0, 86400)}").fetch(tmp_path, ONCE)
    assert "clock" not in failed.value.message


def test_an_expired_policy_is_recognized_by_the_servers_clock(post, web):
    """Our clock is two hours late, so that the policy looked valid."""
    web.replies["/bucket"] = refused(web, 7200)
    with pytest.raises(UploadFailed, match="it expired 60 min ago by the server's clock"):
        post(("policy", policy(3600)))


@pytest.mark.parametrize("url", ["https://h/k", "https://h/k?X-Amz-Date=x&X-Amz-Expires=1"])
def test_a_url_may_say_nothing_of_its_end(url):
    assert url_valid_until(url) is None

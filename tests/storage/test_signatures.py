"""Signature and expiry of a presigned GET, where somebody checks them.

s3rver checks the expiry of both kinds of signature, but computes the older one alone ("Signature
version 4 calculation is unimplemented", says its source). The newer one is computed here, by
botocore, from what arrived.
"""

import re
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import HttpUrl, source_of

DATA = bytes(range(256)) * 4000
QUICK = TransferPolicy(retry=RetryPolicy(3, Backoff(0.01, 0.05)))


@pytest.fixture(params=["s3", "s3v4"])
def kind(request):
    return request.param


@pytest.fixture
def sign(strict_s3):
    strict_s3.client.put_object(Bucket="models", Key="m.pkl", Body=DATA)

    def url(kind, seconds=3600):
        wanted = {"Bucket": "models", "Key": "m.pkl"}
        return strict_s3.signer(kind).generate_presigned_url("get_object", wanted, seconds)

    return url


def expired(url):
    url = re.sub(r"X-Amz-Date=\d{8}", "X-Amz-Date=20200101", url)
    return re.sub(r"Expires=\d{10}", "Expires=1577836800", url)


def test_a_presigned_url_is_fetched_and_its_md5_verified(sign, kind, tmp_path):
    assert HttpUrl(sign(kind)).fetch(tmp_path, QUICK).read_bytes() == DATA


def test_an_expired_url_is_refused_and_recognized_by_the_servers_clock(sign, kind, tmp_path):
    with pytest.raises(FetchFailed, match=r"HTTP 403.*it expired \d+ days ago") as failed:
        HttpUrl(expired(sign(kind))).fetch(tmp_path, QUICK)
    assert not isinstance(failed.value, FetchInterrupted)
    assert "create a new one" in failed.value.remedy


@pytest.mark.parametrize(
    "forge",
    [
        lambda url: re.sub(r"Signature=.{5}", "Signature=AAAAA", url),
        lambda url: url.replace("m.pkl", "other.pkl"),
    ],
)
def test_a_wrong_signature_is_refused_with_the_servers_message(sign, strict_s3, tmp_path, forge):
    strict_s3.client.put_object(Bucket="models", Key="other.pkl", Body=b"x")
    with pytest.raises(FetchFailed, match=r"HTTP 403.*SignatureDoesNotMatch") as failed:
        HttpUrl(forge(sign("s3"))).fetch(tmp_path, QUICK)
    assert "clock" not in failed.value.message
    assert "Signature=" not in failed.value.message


def test_unknown_credentials_are_refused_for_s3_urls(sign, strict_s3, tmp_path, monkeypatch):
    sign("s3v4")
    for name, value in strict_s3.environment.items():
        monkeypatch.setenv(name, value)
    assert source_of("s3://models/m.pkl").fetch(tmp_path, QUICK).read_bytes() == DATA
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "UNKNOWN")
    with pytest.raises(FetchFailed, match="InvalidAccessKeyId"):
        source_of("s3://models/m.pkl").fetch(tmp_path, QUICK)


CREDENTIALS = Credentials("AKEY", "SECRETSECRET", "SECRETTOKEN")


def signature_of(method, url, timestamp):
    """The signature that S3 computes for such a request, in botocore's words."""
    auth = S3SigV4QueryAuth(CREDENTIALS, "s3", "us-east-1", expires=3600)
    request = AWSRequest(method, url, headers={})
    request.context["timestamp"] = timestamp
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


@pytest.fixture
def checking(web):
    """A server that computes the newer signature of whatever arrives."""

    def answer(request):
        query, _, signature = request.query.partition("&X-Amz-Signature=")
        date = re.search(r"X-Amz-Date=(\w+)", query)[1]
        url = f"{web.url}{request.path}?{query}"
        wanted = signature_of(request.method, url, date)
        return web.reply(DATA) if signature == wanted else web.reply(b"", 403)

    return answer


@pytest.mark.parametrize(
    "key", ["m.pkl", "a/b/m.pkl", "a b+c&d=e.pkl", "ümläut~%2F.pkl", "a'(b)!*.pkl"]
)
def test_a_presigned_request_arrives_as_it_was_signed(checking, web, tmp_path, key):
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=web.url,
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS.access_key,
        aws_secret_access_key=CREDENTIALS.secret_key,
        aws_session_token=CREDENTIALS.token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url = client.generate_presigned_url("get_object", {"Bucket": "models", "Key": key})
    web.replies[urlsplit(url).path] = checking
    assert HttpUrl(url).fetch(tmp_path, QUICK).read_bytes() == DATA
    with pytest.raises(FetchFailed, match="HTTP 403"):
        HttpUrl(url[:-4] + "0000").fetch(tmp_path, QUICK)

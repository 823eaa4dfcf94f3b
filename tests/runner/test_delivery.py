"""Upload by a presigned POST to a real server."""

import email.parser
import email.policy
from urllib.parse import urlencode

import pytest

SOON = ("--deadline", 8)  # bounds the tries
FIELDS = {"key": "in box/x.csv", "policy": "c2VjcmV0IHBvbGljeQ==", "x-amz-signature": "5ec7e7"}
S3_ERROR = (
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Policy expired.</Message>"
    b"<RequestId>REQ123</RequestId><HostId>HOST</HostId></Error>"
)


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


@pytest.fixture
def post(run_model, web):
    """Run with an upload to the server, whose URL ends in a secret query."""

    def run(*options, url=None):
        url = url or f"{web.url}/bucket?SECRETQUERY=1"
        run = run_model(ranks, "--post_url", url, "--post_data", urlencode(FIELDS), *options)
        written = run.text + str(run.record)
        assert "SECRETQUERY" not in written
        for value in FIELDS.values():
            assert value not in written
        return run

    return run


def parts_of(request):
    """The parts of a multipart body, in their order."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parser = email.parser.BytesParser(policy=email.policy.HTTP)
    return list(parser.parsebytes(head + request.body).iter_parts())


def field_of(part):
    return part.get_param("name", header="content-disposition")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_the_form_comes_first_and_the_file_last_with_the_same_bytes(post, web, status):
    web.replies["/bucket"] = web.reply(status=status)
    run = post()
    run.succeeds()
    (request,) = web.requests
    assert request.method == "POST"
    assert request.query == "SECRETQUERY=1"
    *form, file = parts_of(request)
    assert {field_of(part): part.get_content() for part in form} == FIELDS
    assert [field_of(part) for part in form] == list(FIELDS)
    assert field_of(file) == "file"
    assert file.get_content_type() == "text/csv"
    assert file.get_filename() == run.predictions[0].name
    assert file.get_payload(decode=True).replace(b"\r\n", b"\n") == run.predictions[0].read_bytes()
    assert run.predictions[0].read_bytes() in request.body


def test_the_record_names_the_destination_without_the_query(post, web):
    web.replies["/bucket"] = web.reply(status=204)
    run = post()
    run.succeeds()
    assert run.record["delivered_to"] == f"{web.url}/bucket"
    assert run.record["seconds"]["deliver"] > 0


def fails(run, *words):
    """The upload failed, and the predictions lie whole where the message says."""
    (path,) = run.predictions
    run.fails_as("upload_failed", str(path), *words, saved=True)
    assert run.leftovers == [path.name]
    assert run.record["predictions"]["path"] == str(path)
    assert run.record["delivered_to"] is None
    assert len(path.read_text().splitlines()) == 201
    return run


def test_a_refusal_names_the_servers_own_error(post, web):
    web.replies["/bucket"] = web.reply(S3_ERROR, 403)
    fails(post(), "403", "AccessDenied", "Policy expired.", "REQ123", "new presigned POST")


def test_a_busy_server_is_worth_another_try(post, web):
    web.replies["/bucket"] = web.reply(b"<Error><Code>SlowDown</Code></Error>", 503)
    fails(post(*SOON), "503", "SlowDown", "try again later", "numerai-predict deliver")


def test_a_redirect_is_no_success(post, web):
    web.replies["/bucket"] = web.reply(status=302, headers={"Location": f"{web.url}/other"})
    web.replies["/other"] = web.reply(status=200)
    fails(post(), "302")
    assert [request.path for request in web.requests] == ["/bucket"]


def test_a_redirect_that_keeps_the_method_is_followed_with_the_same_bytes(post, web):
    """S3 sends one for a young bucket of another region."""
    web.replies["/bucket"] = web.reply(status=307, headers={"Location": f"{web.url}/region/bucket"})
    web.replies["/region/bucket"] = web.reply(status=204)
    post().succeeds()
    first, second = web.requests
    assert second.method == "POST"
    assert second.body == first.body


def test_redirects_without_end_are_a_failed_upload(post, web):
    web.replies["/bucket"] = web.reply(status=307, headers={"Location": f"{web.url}/other"})
    web.replies["/other"] = web.reply(status=308, headers={"Location": f"{web.url}/bucket"})
    fails(post(), "found too many redirects")
    assert len(web.requests) == 4


def test_a_refused_connection_is_a_failed_upload(post, closed_port):
    url = f"http://127.0.0.1:{closed_port}/bucket?SECRETQUERY=1"
    fails(post(*SOON, url=url), "no connection")


def test_debug_shows_no_secret_of_a_failed_upload(post, closed_port):
    url = f"http://127.0.0.1:{closed_port}/bucket?SECRETQUERY=1"
    run = fails(post("--debug", *SOON, url=url), "no connection")
    assert "Traceback" in run.text


def test_a_server_that_repeats_the_form_does_not_make_the_runner_repeat_it(post, web):
    """`post` looks for every value of the form in all that was written."""
    said = f"Policy Condition failed: eq $key {FIELDS['key']} {FIELDS['policy']}"
    body = f"<Error><Code>AccessDenied</Code><Message>{said}</Message></Error>"
    web.replies["/bucket"] = web.reply(body.encode(), 403)
    fails(post(), "AccessDenied")


def test_a_response_with_a_secret_url_is_redacted(post, web):
    body = f"<Error><Code>E</Code><Message>see {web.url}/a?SECRETQUERY=2</Message></Error>"
    web.replies["/bucket"] = web.reply(body.encode(), 400)
    fails(post(), f"see {web.url}/a")


def test_terminal_escapes_of_a_server_do_not_reach_the_terminal(post, web):
    body = b"<Error><Code>\x1b[2JBad</Code></Error>"
    web.replies["/bucket"] = web.reply(body, 400)
    assert "\x1b" not in fails(post(), "Bad").text


def test_a_response_without_a_body_is_named_by_its_status(post, web):
    web.replies["/bucket"] = web.reply(status=400)
    fails(post(), "HTTP 400")


def test_nothing_is_uploaded_of_a_model_that_fails(run_model, web):
    def predict(live_features):
        return None

    run = run_model(predict, "--post_url", f"{web.url}/bucket", "--post_data", "key=1")
    run.fails_as("invalid_predictions")
    assert web.requests == []

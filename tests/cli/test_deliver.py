"""`numerai-predict deliver`: what a failed run saved is uploaded again, byte for byte."""

import json
import subprocess
import sys
from urllib.parse import urlencode

import pytest

PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"
FIELDS = {"key": "in box/x.csv", "policy": "c2VjcmV0IHBvbGljeQ==", "x-amz-signature": "5ec7e7"}
CSV = b"id,prediction\na,0.25\nb,0.75\n"


def ranks(live_features):
    values = live_features["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "live_predictions-0123456789ab.csv"
    path.write_bytes(CSV)
    return path


@pytest.fixture
def deliver(web, clean_environment, tmp_path):
    def run(file, *options, url=None):
        url = url or f"{web.url}/bucket?SECRETQUERY=1"
        form = ("--post-url", url, "--post-data", urlencode(FIELDS)) if url != "none" else ()
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, "deliver", *map(str, (file, *form, *options))],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env=clean_environment,
        )
        assert ended.stdout == ""
        for secret in ("SECRETQUERY", *FIELDS.values()):
            assert secret not in ended.stderr
        return ended

    web.replies["/bucket"] = web.reply(status=204)
    return run


def test_a_csv_is_uploaded(deliver, csv, web):
    ended = deliver(csv)
    assert ended.returncode == 0, ended.stderr
    assert f"verdict  ok (exit 0): delivered to {web.url}/bucket" in ended.stderr
    assert CSV in web.requests[0].body


def test_what_a_failed_run_saved_is_uploaded_by_its_record(deliver, run_model, web, tmp_path):
    web.replies["/bucket"] = web.reply(b"", 403)
    form = ("--post-url", f"{web.url}/bucket", "--post-data", urlencode(FIELDS))
    run = run_model(ranks, *form)
    assert run.exit_code == 40
    assert f"numerai-predict deliver {run.predictions[0]}" in run.record["remedy"]
    web.replies["/bucket"] = web.reply(status=204)
    ended = deliver(tmp_path / "result.json")
    assert ended.returncode == 0, ended.stderr
    first, second = web.requests
    saved = run.predictions[0].read_bytes()
    assert saved in first.body
    assert saved in second.body


def test_a_refusal_ends_as_that_of_a_run(deliver, csv, web):
    web.replies["/bucket"] = web.reply(b"<Error><Code>AccessDenied</Code></Error>", 403)
    ended = deliver(csv)
    assert ended.returncode == 40
    assert "upload_failed (exit 40)" in ended.stderr.splitlines()[-1]
    assert "AccessDenied" in ended.stderr
    assert str(csv) in ended.stderr


def test_a_deadline_bounds_the_tries(deliver, csv, closed_port):
    url = f"http://127.0.0.1:{closed_port}/bucket?SECRETQUERY"
    ended = deliver(csv, "--deadline", 1, url=url)
    assert ended.returncode == 40
    assert "deadline of 1 s leaves no time" in ended.stderr


def test_a_record_from_a_container_finds_the_file_beside_it(deliver, csv, web, tmp_path):
    import hashlib

    digest = hashlib.sha256(CSV).hexdigest()
    facts = {"predictions": {"path": f"/inside/{csv.name}", "sha256": digest}}
    (tmp_path / "record.json").write_text(json.dumps(facts))
    assert deliver("record.json").returncode == 0
    assert CSV in web.requests[0].body


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"predictions": {"path": None, "sha256": None}}, "found none in it"),
        ({"predictions": {"path": "/no/such.csv", "sha256": "0"}}, "beside the record, found none"),
        ({"predictions": {}}, "found neither"),
        ([1], "found neither"),
    ],
)
def test_a_record_without_predictions_is_a_wrong_option(deliver, web, tmp_path, facts, words):
    (tmp_path / "record.json").write_text(json.dumps(facts))
    ended = deliver(tmp_path / "record.json")
    assert ended.returncode == 2
    assert words in ended.stderr
    assert web.requests == []


def test_predictions_that_were_changed_since_are_not_uploaded(deliver, csv, web, tmp_path):
    facts = {"predictions": {"path": str(csv), "sha256": "0" * 64}}
    (tmp_path / "record.json").write_text(json.dumps(facts))
    ended = deliver(tmp_path / "record.json")
    assert ended.returncode == 2
    assert "found others" in ended.stderr
    assert web.requests == []


@pytest.mark.parametrize("content", [b"", b"PAR1 no text \xff", b"era,prediction\na,1\n"])
def test_what_is_no_csv_of_predictions_is_not_uploaded(deliver, web, tmp_path, content):
    (tmp_path / "thesis.csv").write_bytes(content)
    ended = deliver(tmp_path / "thesis.csv")
    assert ended.returncode == 2
    assert "found neither" in ended.stderr
    assert web.requests == []


@pytest.mark.parametrize(
    ("file", "options", "words"),
    [
        ("gone.csv", (), "No such file"),
        (".", (), "Is a directory"),
        ("x.csv", ("--deadline", "-1"), "expected seconds"),
        ("x.csv", ("--output-dir", "ftp://h/x"), "expected a directory or s3://bucket"),
        ("x.csv", ("--post-dat=SECRETVALUE",), "--post-dat"),
    ],
)
def test_a_wrong_option_is_named(deliver, file, options, words):
    ended = deliver(file, *options)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "SECRETVALUE" not in ended.stderr


def test_a_destination_is_required(deliver, csv):
    ended = deliver(csv, url="none")
    assert ended.returncode == 2
    assert "--post-url and --post-data, or --output-dir" in ended.stderr


def test_a_directory_may_have_the_file_too(deliver, csv, tmp_path):
    (tmp_path / "archive").mkdir()
    assert deliver(csv, "--output-dir", tmp_path / "archive").returncode == 0
    assert (tmp_path / "archive" / csv.name).read_bytes() == CSV
    ended = deliver(csv, "--output-dir", tmp_path / "gone", url="none")
    assert ended.returncode == 41
    assert "No such file" in ended.stderr

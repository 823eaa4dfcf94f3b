"""One command runs a whole fleet: every model ends with a verdict and is delivered once."""

import json
import signal
import time
from pathlib import Path

import pytest
from fleets import processes_of, wait_until

from numerai_predict.cli.main import main
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.resources.process_tree import descendants

SECRET = "post-canary-3c19"


def ranks(live):
    values = live["feature_sample_0000"].rank(pct=True, method="first")
    return values.to_frame("prediction")


def predict(live_features):
    return ranks(live_features)


def slow(live_features):
    time.sleep(0.7)
    return ranks(live_features)


def raise_an_error(live_features):
    raise ValueError("no")


@pytest.fixture
def bucket(web):
    """An S3 server for uploads that records their keys; it rejects keys that start with refused."""
    web.keys = []

    def receive(request):
        key = request.body.partition(b'name="key"')[2].split(b"\r\n")[2].decode()
        if key.startswith("refused"):
            return web.reply(b"<Error><Code>AccessDenied</Code></Error>", 403)
        web.keys.append(key)
        return web.reply(b"", 204)

    web.replies["/bucket"] = receive
    return web


def manifest(folder, rows):
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(bucket, name, model):
    data = f"key={name}&policy={SECRET}"
    return {"id": name, "model": str(model), "post_url": f"{bucket.url}/bucket", "post_data": data}


def test_each_model_ends_as_in_a_single_run_and_the_next_start_repeats_nothing(
    fleet, bucket, tmp_path, pickle_model, run_model
):
    models = {
        "good": pickle_model(predict, "good.pkl"),
        "slow": pickle_model(slow, "slow.pkl"),
        "raises": pickle_model(raise_an_error, "raises.pkl"),
        "broken": pickle_model(b"hello\n", "broken.pkl"),
        "refused": pickle_model(predict, "refused.pkl"),
    }
    path = manifest(tmp_path, [row(bucket, *item) for item in models.items()])
    done = fleet.run(path)
    assert done.exit_code == 1, done.stderr
    assert done.verdicts() == {
        "good": "ok",
        "slow": "ok",
        "raises": "model_error",
        "broken": "invalid_pickle",
        "refused": "upload_failed",
    }
    assert sorted(bucket.keys) == ["good", "slow"]
    single = run_model(predict)
    single.succeeds()
    assert done.csv("good") == single.predictions[0].read_bytes()
    record = done.records()["good"]
    assert record.keys() == single.record.keys()
    for part in ("model", "dataset", "predictions"):
        assert record[part].keys() == single.record[part].keys()
    assert record["model"]["sha256"] == single.record["model"]["sha256"]
    assert record["dataset"] == single.record["dataset"]
    everything = b"".join(f.read_bytes() for f in done.directory.rglob("*") if f.is_file())
    assert SECRET not in done.stdout + done.stderr
    assert SECRET.encode() not in everything
    for text in ("model_error", "upload_failed", "slowest", "largest", "fleet.html"):
        assert text in done.stdout

    again = fleet.run(path, "--retry-failed", "--only", "raises", "--only", "refused")
    assert again.exit_code == 1
    assert sorted(bucket.keys) == ["good", "slow"]
    with again.ledger() as ledger:
        attempts = {row.id: row.attempts for row in ledger.rows()}
    assert attempts == {"good": 1, "slow": 1, "raises": 2, "broken": 0, "refused": 1}


def test_a_killed_coordinator_resumes_the_fleet_run(fleet, bucket, tmp_path, pickle_model):
    model = pickle_model(slow, "slow.pkl")
    names = [f"m{number:02}" for number in range(12)]
    path = manifest(tmp_path, [row(bucket, name, model) for name in names])
    killed = fleet.start(path)
    wait_until(lambda: len(bucket.keys) >= 3, 60)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    done = fleet.run(path)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert sorted(bucket.keys) == names
    with done.ledger() as ledger:
        events = ledger.events()
    for name in names:
        states = [event.state for event in events if event.model == name]
        assert states.count(ModelState.DELIVERED) == 1
    wait_until(lambda: not processes_of(str(fleet.directory)), 20)


def test_an_interrupted_coordinator_leaves_no_processes(fleet, tmp_path, pickle_model):
    folder = tmp_path / "models"
    folder.mkdir()
    data = pickle_model(slow).read_bytes()
    for number in range(99):
        (folder / f"m{number}.pkl").write_bytes(data)
    running = fleet.start(folder)
    wait_until(lambda: list(fleet.directory.glob("records/*.json")), 60)
    started = descendants(running.pid).processes
    assert started
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert "Traceback" not in errors
    assert running.returncode == 128 + signal.SIGINT, errors
    wait_until(lambda: not any(map(is_running, started)), 20)


def is_running(pid):
    """Whether the process exists and has not ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def test_a_deadline_stops_the_fleet_run_and_the_rest_stays_queued(fleet, tmp_path, pickle_model):
    folder = tmp_path / "models"
    folder.mkdir()
    data = pickle_model(slow).read_bytes()
    for number in range(60):
        (folder / f"m{number:02}.pkl").write_bytes(data)
    started = time.monotonic()
    done = fleet.run(folder, "--deadline", "14")
    assert done.exit_code == 50, done.stdout + done.stderr
    assert time.monotonic() - started < 40
    with done.ledger() as ledger:
        assert ModelState.FAILED not in ledger.count_by_state()
    assert "run the same command again" in done.stdout


def test_invalid_rows_end_the_command_before_anything_runs(fleet, tmp_path):
    path = manifest(tmp_path, [{"id": "a", "model": "gone.pkl"}, {"id": "a", "model": "x://y"}])
    done = fleet.run(path)
    assert done.exit_code == 2
    assert "row 1: " in done.stderr
    assert "row 2: " in done.stderr
    assert list(fleet.directory.iterdir()) == []


def test_a_model_that_fits_no_node_is_rejected_before_anything_runs(fleet, tmp_path, pickle_model):
    model = pickle_model(predict)
    done = fleet.run(manifest(tmp_path, [{"id": "a", "model": str(model), "memory": "9t"}]))
    assert done.exit_code == 1
    assert "a: expected a node with 9216.0 GiB" in done.stderr


def test_an_output_directory_on_s3_is_rejected(capsys, tmp_path):
    argv = ["fleet", "run", str(tmp_path), "--output-dir", "s3://bucket/output?signature=hidden"]
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    stderr = capsys.readouterr().err
    assert "expected a directory on a disk, found s3://bucket/output" in stderr
    assert "hidden" not in stderr

"""Each response is validated in a process of its own: no other model waits for it or fails."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict

import pyarrow as pa
import pytest

from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.fleet.pool.response_validation import ValidationRequest
from numerai_predict.fleet.pool.response_validator import Validator
from numerai_predict.resources.process_tree import descendants

pytestmark = pytest.mark.process

IDS = [f"id{number}" for number in range(100)]
RECORD = asdict(Record(environment=EnvironmentFacts("3.12", None, "0")))


def stream(ids, values, times=1, compression=None):
    table = pa.table({"id": pa.array(ids, pa.string()), "value": pa.array(values, pa.float64())})
    buffer = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(buffer, table.schema, options=options) as writer:
        for _ in range(times):
            writer.write_table(table)
    return buffer.getvalue().to_pybytes()


VALUES = [number / 100 for number in range(100)]
HONEST = stream(IDS, VALUES)
# 6 KB, and hundreds of megabytes once it is unpacked.
COMPRESSED = stream([None] * 2**20, [0.0] * 2**20, times=8, compression="zstd")
LONG = stream(IDS * 5_000, VALUES * 5_000)


def request(rows=100, **changes):
    predicted = {"type": "DataFrame", "rows": rows, "columns": ["prediction"], "seconds": 0.1}
    return ValidationRequest(RECORD, predicted, **changes)


@pytest.fixture(scope="module")
def validator(tmp_path_factory):
    with closing(Validator(IDS, tmp_path_factory.mktemp("validator"))) as started:
        yield started


def verdict(validator, payload, **changes):
    validated, _ = validator.validate(request(**changes), payload)
    return validated.record.verdict


def test_valid_predictions_are_returned_with_their_record_and_log(validator):
    validated, log = validator.validate(request(), HONEST)
    assert validated.record.verdict == "ok"
    assert validated.record.predictions.rows == 100
    assert validated.csv.splitlines()[:2] == [b"id,prediction", b"id0,0.0"]
    assert b"check    100 predictions, 0.0000 to 0.9900: valid" in log


def test_a_forged_compressed_response_fails_alone_and_costs_this_process_nothing(validator):
    assert len(COMPRESSED) < 8_192
    before = time.process_time()
    with ThreadPoolExecutor(4) as threads:
        forged = [threads.submit(verdict, validator, COMPRESSED) for _ in range(2)]
        honest = [threads.submit(verdict, validator, HONEST) for _ in range(9)]
    assert [each.result() for each in honest] == ["ok"] * 9
    assert [each.result() for each in forged] == ["model_crashed"] * 2
    assert time.process_time() - before < 1


def test_a_response_has_a_time_limit_in_any_thread(tmp_path):
    with closing(Validator(IDS, tmp_path, seconds=0.05)) as hasty, ThreadPoolExecutor(1) as thread:
        validated, _ = thread.submit(hasty.validate, request(rows=500_000), LONG).result()
        assert validated.record.verdict == "timeout"
        assert "can be checked within 0.05 s" in validated.record.message
        assert validated.csv is None


def test_predictions_that_hosted_compute_would_refuse_fail_only_with_hosted(validator):
    named = {"subclass": "Frame", "index_type": "string", "index_name": "other"}
    form = {
        "column": "prediction", "column_is_text": True, "position": 0, "dtype": "float64",
        "is_arrow": False, "nan_elsewhere": False, "misplaced": "", "columns": 1,
        **named,
    }  # fmt: skip
    predicted = {**request().predicted, "form": form}
    for hosted, expected in ((False, "ok"), (True, "invalid_predictions")):
        asked = ValidationRequest(RECORD, predicted, hosted=hosted)
        validated, _ = validator.validate(asked, HONEST)
        assert validated.record.verdict == expected
        assert validated.record.hosted.accepted is False


@pytest.mark.parametrize("payload", [b"", b"x", HONEST[:-20], HONEST[20:]], ids=len)
def test_bytes_that_are_no_predictions_have_the_verdict_of_the_model(validator, payload):
    assert verdict(validator, payload) in ("model_crashed", "invalid_predictions")
    assert verdict(validator, HONEST) == "ok"


def test_a_killed_server_is_started_again(tmp_path):
    with closing(Validator(IDS, tmp_path)) as started:
        assert verdict(started, HONEST) == "ok"
        os.kill(started._process.pid, signal.SIGKILL)
        started._process.wait()
        assert verdict(started, HONEST) == "ok"


def test_a_process_that_ends_while_it_validates_fails_its_model(validator, monkeypatch):
    monkeypatch.setattr(
        "numerai_predict.fleet.pool.response_validator.receive_frame", kill_children
    )
    assert verdict(validator, HONEST) == "model_crashed"


def kill_children(_connection):
    raise ConnectionError("the process was killed")


def test_closing_leaves_no_process(tmp_path):
    before = set(descendants(os.getpid()).processes)
    Validator(IDS, tmp_path).close()
    assert set(descendants(os.getpid()).processes) <= before

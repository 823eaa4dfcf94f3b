"""The program that serves batch calls in a container responds to every failure."""

import io
import json
from dataclasses import asdict

import pytest

from numerai_predict.contract.errors import OutOfMemory
from numerai_predict.runner.container import batch_server

REQUEST = batch_server.BatchRequest(
    model="m.pkl",
    directory="/d",
    labels={},
    memory_bytes=None,
    seconds=None,
    sandbox="auto",
    seconds_left=None,
    repeated=False,
    debug=False,
    acceleration=True,
)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (OutOfMemory("too much", "use less"), "out_of_memory"),
        (OSError(28, "No space left on device", "/tmp/x"), "save_failed"),
        (KeyError("x"), "internal_error"),
    ],
)
def test_every_failure_is_a_response_with_its_verdict(monkeypatch, capsys, error, verdict):
    def fail(_request):
        raise error

    monkeypatch.setattr(batch_server, "_open_batch", fail)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(asdict(REQUEST)) + "\n"))
    with pytest.raises(SystemExit) as ended:
        batch_server.main()
    assert ended.value.code == 0
    response = json.loads(capsys.readouterr().out)
    assert (response["kind"], response["verdict"]) == ("failure", verdict)

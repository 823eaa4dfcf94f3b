"""What the tests share: sample data, real runs of predict.py, a real local web server."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import cloudpickle
import evidence
import lanes
import pandas as pd
import pytest
from hypothesis import settings

from numerai_predict.contract.errors import FetchFailed, RunError
from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.storage.dataset_urls import _ASK

settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")

ROOT = Path(__file__).parents[1]

# The table of the contract, written out: the code must agree with it, not the reverse.
EXIT_CODES = {
    "ok": 0,
    "usage": 2,
    "model_unavailable": 10,
    "invalid_pickle": 11,
    "python_mismatch": 12,
    "missing_dependency": 13,
    "invalid_model": 14,
    "dataset_unavailable": 15,
    "model_error": 20,
    "model_crashed": 21,
    "out_of_memory": 22,
    "timeout": 23,
    "invalid_predictions": 30,
    "upload_failed": 40,
    "save_failed": 41,
    "deadline": 50,
    "sandbox_unavailable": 60,
    "internal_error": 70,
}

# The keys of the result record, in the contract's words.
_DATA_KEYS = {"source", "sha256", "rows", "columns"}
RECORD_KEYS: dict[str, set[str] | None] = {
    "verdict": None,
    "exit_code": None,
    "message": None,
    "remedy": None,
    "model": {"source", "sha256", "bytes", "python", "arity"},
    "environment": {"python", "image", "runner"},
    "dataset": _DATA_KEYS,
    "benchmarks": _DATA_KEYS,
    "predictions": {"path", "sha256", "rows", "min", "max", "std"},
    "delivered_to": None,
    "seconds": {"fetch", "load", "predict", "check", "deliver", "total"},
    "peak_memory_bytes": None,
    "sandbox": None,
    "warnings": None,
}


_guard = lanes.Guard()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of the lanes."""
    config.addinivalue_line("markers", "unit: needs nothing but this process; set by itself")
    for name, meaning in lanes.NEEDS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its lane; search for secrets after all other tests."""
    for item in items:
        lanes.mark(item)
    items.sort(key=lambda item: item.path.name == "test_secrets.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keep a test off the network, and a unit test off processes and sockets."""
    with _guard.around(item):
        return (yield)


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep what processes print and which errors are made; see `evidence.py`."""
    errors: list[Exception] = []
    communicate = subprocess.Popen.communicate

    def heard_communicate(self: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> Any:
        out = communicate(self, *args, **kwargs)
        evidence.learn_command(self.args)  # type: ignore[arg-type]
        answers = _ASK in map(str, self.args)  # a URL that is handed on by a pipe, and said nowhere
        evidence.hear(None if answers else out[0], out[1])
        return out

    monkeypatch.setattr(subprocess.Popen, "communicate", heard_communicate)
    for kind in (RunError, FetchFailed):
        monkeypatch.setattr(kind, "__init__", _listening(kind.__init__, errors))
    yield
    for error in errors:
        evidence.hear_error(error)


def _listening(initialise: Callable[..., None], errors: list[Exception]) -> Callable[..., None]:
    def listening(self: Exception, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        errors.append(self)

    return listening


@pytest.fixture(scope="session")
def contract() -> SimpleNamespace:
    """The contract's tables, for tests that compare the code with them."""
    return SimpleNamespace(exit_codes=EXIT_CODES, record_keys=RECORD_KEYS, root=ROOT)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small sample data set: 200 live rows, 60 features."""
    directory = tmp_path_factory.mktemp("data") / "sample"
    write_sample(
        directory,
        SampleShape(live_rows=200, rows=50, train_eras=8, validation_eras=4, features=60),
    )
    return directory


@dataclass
class Run:
    """What a run of predict.py left behind; `leftovers` names all in the output directory."""

    exit_code: int
    record: dict[str, Any]
    lines: list[str]
    stdout: str
    predictions: list[Path]
    leftovers: list[str]
    temporary: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def model_lines(self) -> list[str]:
        """What the model printed, without time and mark."""
        mark = " model    | "
        return [line.partition(mark)[2] for line in self.lines if mark in line]

    def fails_as(self, verdict: str, *words: str, saved: bool = False) -> Run:
        """The run failed with this verdict, whose message and remedy hold the words."""
        assert (self.exit_code, self.record.get("verdict")) == (EXIT_CODES[verdict], verdict), (
            self.text
        )
        assert self.record["message"], "no message"
        assert self.record["remedy"], "no remedy"
        said = f"{self.record['message']} -> {self.record['remedy']}"
        for word in words:
            assert word in said
        if not saved:
            assert self.leftovers == []
            assert self.record["predictions"]["path"] is None
        self._is_well_formed(verdict)
        return self

    def succeeds(self) -> pd.DataFrame:
        """The run ended well; the predictions as they stand in the file."""
        assert (self.exit_code, self.record.get("verdict")) == (0, "ok"), self.text
        self._is_well_formed("ok")
        (path,) = self.predictions
        assert self.leftovers == [path.name]
        assert self.record["predictions"]["path"] == str(path)
        assert path.read_bytes().startswith(b"id,prediction\n")
        return pd.read_csv(path, float_precision="round_trip", dtype={"id": str})

    def _is_well_formed(self, verdict: str) -> None:
        assert self.stdout == ""
        assert self.temporary == [], "temporary files were left behind"
        assert f"verdict  {verdict} (exit {EXIT_CODES[verdict]})" in self.lines[-1]
        assert self.record["exit_code"] == EXIT_CODES[verdict]
        assert self.record.keys() == RECORD_KEYS.keys()
        for key, inner in RECORD_KEYS.items():
            assert inner is None or self.record[key].keys() == inner


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """An environment without proxies and settings, with a temporary folder of its own."""
    temporary = tmp_path / "temporary"
    temporary.mkdir(exist_ok=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("NUMERAI_")
    }
    no_engine = {"DOCKER": "false"}
    own = {"TMPDIR": str(temporary), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return {**kept, **no_engine, **own, "NO_PROXY": "*"}


@pytest.fixture
def pickle_model(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Write an object as a pickle that stands alone (bytes as they are); its path."""

    def write(model: Any, name: str = "model.pkl") -> Path:
        path = tmp_path / name
        if not isinstance(model, bytes):
            cloudpickle.register_pickle_by_value(request.module)
            try:
                model = cloudpickle.dumps(model)
            finally:
                cloudpickle.unregister_pickle_by_value(request.module)
        path.write_bytes(model)
        return path

    return write


@pytest.fixture
def command(sample: Path, tmp_path: Path, pickle_model: Callable[..., Path]) -> Callable[..., Any]:
    """The command line of a run; later options win over these."""

    def build(model: Any, *options: Any, output: Path | None = None) -> list[str]:
        if not isinstance(model, str | Path):
            model = pickle_model(model)
        output = output or tmp_path / "output"
        if output == tmp_path / "output":
            output.mkdir(exist_ok=True)
        words = [sys.executable, ROOT / "predict.py", "--model", model, "--output_dir", output]
        words += ["--dataset", sample / "live.parquet"]
        words += ["--benchmarks", sample / "live_benchmark_models.parquet"]
        return [str(word) for word in [*words, "--result", tmp_path / "result.json", *options]]

    return build


@pytest.fixture
def run_model(
    command: Callable[..., list[str]], clean_environment: dict[str, str], tmp_path: Path
) -> Callable[..., Run]:
    """Run predict.py on a callable, the bytes of a pickle, a path or a URL."""

    def run(
        model: Any,
        *options: Any,
        output: Path | None = None,
        environment: dict[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
        timeout: float = 60,
    ) -> Run:
        ended = subprocess.run(
            [*wrapper, *command(model, *options, output=output)],
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**clean_environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            cwd=tmp_path,
        )
        output = output or tmp_path / "output"
        record = tmp_path / "result.json"
        if record.is_file():
            evidence.hear(record.read_text())
        return Run(
            exit_code=ended.returncode,
            record=json.loads(record.read_text()) if record.exists() else {},
            lines=ended.stderr.splitlines(),
            stdout=ended.stdout,
            predictions=sorted(output.glob("live_predictions-*.csv")),
            leftovers=sorted(p.name for p in output.iterdir()) if output.is_dir() else [],
            temporary=sorted(p.name for p in Path(clean_environment["TMPDIR"]).iterdir()),
        )

    return run


@pytest.fixture
def mounted(tmp_path: Path) -> Callable[[Path, str], tuple[str, ...]]:
    """A wrapper that mounts a tmpfs with options over a directory, for one command.

    What is left in the directory then is listed in the file `listing`.
    """

    def wrap(directory: Path, options: str) -> tuple[str, ...]:
        directory.mkdir()
        mount = f"mount -t tmpfs -o {options} tmpfs {directory}"
        probe = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True)
        if probe.returncode:
            pytest.skip("needs user namespaces that may mount a tmpfs")
        listing = f"ls -A {directory} > {tmp_path / 'listing'}"
        script = f'{mount} && "$@"; code=$?; {listing}; exit $code'
        return ("unshare", "-rm", "sh", "-c", script, "sh")

    return wrap


@dataclass
class Request:
    """What the web server was asked."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What the web server answers; a declared length may be a lie."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip_seconds: float | None = None


@dataclass
class Web:
    """A real web server on this machine: replies by path, requests as they came."""

    url: str
    replies: dict[str, Reply | Callable[[Request], Reply]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    reply: type[Reply] = Reply


class _Handler(http.server.BaseHTTPRequestHandler):
    web: Web
    stopping: threading.Event

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, parts.path, parts.query, dict(self.headers), body)
        self.web.requests.append(request)
        evidence.learn_request(parts.query, request.headers, body)
        reply = self.web.replies.get(parts.path, Reply(b"nothing here", 404))
        reply = reply(request) if callable(reply) else reply
        dated = "Date" in reply.headers
        (self.send_response_only if dated else self.send_response)(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)
        while reply.drip_seconds and not self.stopping.is_set():  # until the client is gone
            try:
                self.wfile.write(b".")
            except OSError:
                return
            time.sleep(reply.drip_seconds)

    do_GET = do_POST = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on 127.0.0.1 that the test fills with replies."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    handed = Web(f"http://127.0.0.1:{server.server_port}")
    stopping = threading.Event()
    server.RequestHandlerClass = type("Handler", (_Handler,), {"web": handed, "stopping": stopping})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield handed
    stopping.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])

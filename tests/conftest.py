"""Hooks and fixtures of the whole suite: lanes, sample data, runs of predict.py, a web server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import evidence
import lanes
import pytest
from chromium import Chromium
from hypothesis import settings
from predict_runs import EXIT_CODES, RECORD_KEYS, PredictRun, clean_variables
from web_server import Web, running_server

from numerai_predict.contract.bootstrap import bootstrap_argv
from numerai_predict.contract.errors import FetchFailed, RunError
from numerai_predict.data.synthetic import SampleShape, write_sample
from numerai_predict.storage.dataset_urls import PROGRAM

settings.register_profile("suite", deadline=None, derandomize=True, database=None)
settings.load_profile("suite")

ROOT = Path(__file__).parents[1]

_guard = lanes.Guard()


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory in which parallel workers leave their evidence."""
    if not hasattr(config, "workerinput"):
        config.evidence_folder = tempfile.TemporaryDirectory()  # type: ignore[attr-defined]
        config.leaks = []  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Name the directory for evidence to a worker of pytest-xdist."""
    node.workerinput["evidence_folder"] = node.config.evidence_folder.name


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its lane."""
    for item in items:
        lanes.mark(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keep a test off the network, and a unit test off processes and sockets."""
    with _guard.around(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Iterator[None]:
    """Escape lone surrogates in a report, which pytest-xdist can't send to its main process."""
    return _encodable((yield))


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_encodable, value))
    return value


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the whole session if any output of a test shows a secret."""
    config: Any = session.config
    if hasattr(config, "workerinput"):
        folder, worker = config.workerinput["evidence_folder"], config.workerinput["workerid"]
        evidence.save(Path(folder, f"{worker}.json"))
        return
    evidence.load(Path(config.evidence_folder.name))
    config.evidence_folder.cleanup()
    config.leaks = evidence.leaks()
    if config.leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """Print how many outputs were searched for secrets, and each secret that one shows."""
    if evidence.texts:
        counts = f"{len(evidence.texts)} outputs searched for {len(evidence.secrets)} secrets"
        terminalreporter.write_line(f"{counts}: {len(config.leaks)} found")
    for leak in config.leaks:
        terminalreporter.write_line(f"LEAK {leak}", red=True)


_URL_PROGRAM = bootstrap_argv(PROGRAM)[-2]  # the text of the program


@pytest.fixture(autouse=True)
def collect_evidence(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the output of processes and the errors that are raised; see `evidence.py`."""
    errors: list[Exception] = []
    communicate = subprocess.Popen.communicate

    def recording_communicate(self: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> Any:
        out = communicate(self, *args, **kwargs)
        evidence.add_command_secrets(self.args)  # type: ignore[arg-type]
        is_url = _URL_PROGRAM in map(str, self.args)  # its output is a URL: not shown
        evidence.record_output(None if is_url else out[0], out[1])
        return out

    monkeypatch.setattr(subprocess.Popen, "communicate", recording_communicate)
    for kind in (RunError, FetchFailed):
        monkeypatch.setattr(kind, "__init__", _recording(kind.__init__, errors))
    yield
    for error in errors:
        evidence.record_error(error)


def _recording(initialise: Callable[..., None], errors: list[Exception]) -> Callable[..., None]:
    def recording(self: Exception, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        errors.append(self)

    return recording


@pytest.fixture(scope="session")
def contract() -> SimpleNamespace:
    """The contract's tables, for tests that compare the code with them, and the checkout's root."""
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


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """Variables for a process: no proxy, no setting, its own temporary and cache directories."""
    return clean_variables(tmp_path)


@pytest.fixture
def pickle_model(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Write an object as a pickle that needs no module of the tests; bytes are written as is."""

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
    """Build the argv of a run; later options override these."""

    def build(model: Any, *options: Any, output: Path | None = None) -> list[str]:
        if not isinstance(model, str | Path):
            model = pickle_model(model)
        output = output or tmp_path / "output"
        if output == tmp_path / "output":
            output.mkdir(exist_ok=True)
        argv = [sys.executable, ROOT / "predict.py", "--model", model, "--output_dir", output]
        argv += ["--dataset", sample / "live.parquet"]
        argv += ["--benchmarks", sample / "live_benchmark_models.parquet"]
        argv += ["--result", tmp_path / "result.json", *options]
        return [str(argument) for argument in argv]

    return build


@pytest.fixture
def run_model(
    command: Callable[..., list[str]], clean_environment: dict[str, str], tmp_path: Path
) -> Callable[..., PredictRun]:
    """Run predict.py on a callable, the bytes of a pickle, a path or a URL."""

    def run(
        model: Any,
        *options: Any,
        output: Path | None = None,
        environment: dict[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
        timeout: float = 60,
    ) -> PredictRun:
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
            evidence.record_output(record.read_text())
        return PredictRun(
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
    """A prefix for a command that mounts a tmpfs with options over a directory.

    After the command, the file `listing` lists what the directory contains.
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


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on 127.0.0.1 that the test fills with replies."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A headless browser; tests that need it are skipped without one."""
    browser = Chromium(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])

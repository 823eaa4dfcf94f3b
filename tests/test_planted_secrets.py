"""No log, record, file, core dump or list of processes shows a secret, however a run fails."""

import os
import re
import resource
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from planted_secrets import DATA_QUERY, ENVIRONMENT, FORM, MODEL_QUERY, ROOT, SECRETS, failures
from web_server import running_server

pytestmark = [pytest.mark.process, pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(400)]

AT_ONCE = 3
# What the test itself wrote: the keys, and pickles of models.
_OWN_FILES = re.compile(r"\.(env|pkl)$|/credentials$")


@dataclass
class Ended:
    """A failure that ended, with what it printed."""

    name: str
    exit_code: int
    expected: tuple[int, ...]
    printed: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("planted")
    (made / "aws").mkdir()
    secret = SECRETS["key of a credentials file"]
    (made / "aws/credentials").write_text(f"[other]\naws_secret_access_key={secret}\n")
    for name in ("home", "temporary", "data"):
        (made / name).mkdir()
    return made


@pytest.fixture(scope="module")
def environment(folder):
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    own = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary"), "DOCKER": "false"}
    own |= {"NUMERAI_DATA_DIR": str(folder / "data"), "NO_PROXY": "*"}
    return {
        **kept,
        **own,
        **ENVIRONMENT,
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "aws/credentials"),
    }


@pytest.fixture(scope="module")
def web():
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def kinds(web, sample, folder):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    return failures(web, sample, folder, closed)


@pytest.fixture(scope="module")
def ended(kinds, environment, folder):
    """Every failure, after it happened."""

    def run(failure):
        done = subprocess.run(
            failure.argv,
            env={**environment, **failure.environment},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            cwd=folder / "home",
            stdin=subprocess.DEVNULL,
            preexec_fn=allow_core_dumps,
        )
        printed = done.stdout + done.stderr
        return Ended(failure.name, done.returncode, failure.exit_codes, printed)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, kinds))


def allow_core_dumps():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def shown(text):
    """The names of the secrets that a text shows."""
    return [name for name, secret in SECRETS.items() if secret in text]


def test_there_are_60_kinds_of_failures_and_12_secrets(kinds):
    assert len({failure.name for failure in kinds}) == len(kinds) >= 60
    assert len(set(SECRETS.values())) == len(SECRETS) >= 12


def test_each_kind_of_failure_happened(ended):
    assert [(e.name, e.exit_code, e.printed) for e in ended if e.exit_code not in e.expected] == []


def test_the_secrets_reached_the_server_which_repeated_them(ended, web):
    assert ended
    received = "".join(
        f"{request.query} {request.headers} {request.body}" for request in web.requests
    )
    sent = {"query of a model", "query of live data", "query of an upload", "policy of a form",
            "signature of a form", "secret key", "key in a keys file", "session token"}  # fmt: skip
    assert sent <= set(shown(received))


def test_no_failure_prints_a_secret(ended):
    leaks = {each.name: shown(each.printed) for each in ended}
    assert {name: secrets for name, secrets in leaks.items() if secrets} == {}


def test_no_file_that_a_failure_leaves_holds_a_secret(ended, folder):
    """Records, ledgers, pages, caches, temporary files and core dumps."""
    assert ended
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    written = [path for path in paths if not _OWN_FILES.search(str(path))]
    assert len([path for path in written if path.suffix == ".json"]) >= 30, "records are missing"
    leaks = {path.name: shown(path.read_bytes().decode(errors="replace")) for path in written}
    assert {name: secrets for name, secrets in leaks.items() if secrets} == {}
    assert [path.name for path in paths if path.name.startswith("core")] == []


def test_no_list_of_processes_shows_a_secret_while_a_model_runs(
    ended, web, sample, folder, environment
):
    """Every command line, and the environment of every process but the supervisor."""
    assert ended
    web.replies["/hangs.pkl"] = web.reply((folder / "hangs.pkl").read_bytes())
    web.replies["/live.parquet"] = web.reply((sample / "live.parquet").read_bytes())
    process = subprocess.Popen(
        run_that_waits(web, folder), env=environment, stderr=subprocess.PIPE, text=True
    )
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "model    |" in line:
            break
    listed = list(processes())
    process.terminate()
    process.communicate(timeout=60)
    assert any("model    |" in line for line in lines), lines
    supervisor = str(process.pid)
    assert supervisor in {number for number, _, _ in listed}
    for number, command, variables in listed:
        assert shown(command) == [], number
        if number not in (supervisor, str(os.getpid())):
            assert shown(variables) == [], command


def run_that_waits(web, folder):
    """A run that has every secret that a command line can hold, and a model that waits."""
    return [
        sys.executable, str(ROOT / "predict.py"),
        "--model", f"{web.url}/hangs.pkl?{MODEL_QUERY}",
        "--dataset", f"{web.url}/live.parquet?{DATA_QUERY}",
        "--output_dir", str(folder / "output"),
        "--post_url", f"{web.url}/403", "--post_data", FORM, "--timeout", "60",
    ]  # fmt: skip


def processes():
    """Number, command line and environment of every process, as far as they can be read."""
    for path in Path("/proc").glob("[0-9]*"):
        parts = []
        for name in ("cmdline", "environ"):
            try:
                parts.append((path / name).read_bytes().decode(errors="replace"))
            except OSError:
                parts.append("")
        yield path.name, *parts


def test_a_secret_that_a_text_shows_is_found():
    """Control: the search finds what is there."""
    for name, secret in SECRETS.items():
        assert shown(f"before {secret} after") == [name]
    assert shown("nothing") == []

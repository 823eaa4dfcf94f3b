"""What the tests of the documentation share: pages, and a directory to run their commands in."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import boto3
import evidence
import pytest
from doc_pages import fences_of, script_of, setup_of

_MODEL = """
import cloudpickle

FEATURES = [f"feature_sample_{number:04d}" for number in range(42)]


def predict(live_features):
    return live_features[FEATURES].mean(axis=1).rank(pct=True).to_frame("prediction")


with open("my.pkl", "wb") as file:
    cloudpickle.dump(predict, file)
"""
_SETUP = {
    "model": f"python - <<'END'{_MODEL}END",
    "model of Python 3.12": 'cp "$MODELS/py3.12/two_arguments.pkl" my.pkl',
    "sample": 'cp -r "$SHARED/sample" sample',
    "practice": 'numerai-predict practice clock --open\neval "$(numerai-predict practice env)"',
}
_S3_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "pages",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-pages",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True)
class PageRun:
    """How the commands of a page ended, and what each fence printed, by its line."""

    exit_code: int
    printed: dict[int, str]

    @property
    def last(self) -> str:
        """What the last fence that began printed, with its line."""
        if not self.printed:
            return ""
        line = max(self.printed)
        return f"line {line}:\n{self.printed[line]}"


def _environment(home: Path, state: Path, cache: Path) -> dict[str, str]:
    """The variables of a user without settings, and the checkout's programs first."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
        and not name.startswith(("NUMERAI_", "XDG_"))
        and name != "VIRTUAL_ENV"
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]),
        "HOME": str(home),
        "XDG_STATE_HOME": str(state),
        "XDG_CACHE_HOME": str(cache),
        "TMPDIR": "/tmp",  # Ray's sockets need a short path
        "DOCKER": "false",
        "NO_PROXY": "*",
        "COLUMNS": "120",
    }


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What pages share: sample data, a cache, and a practice tournament in `state`."""
    folder = tmp_path_factory.mktemp("shared")
    environment = _environment(folder, folder / "state", folder / "cache")

    def run(*words: str) -> None:
        subprocess.run(["numerai-predict", *words], check=True, env=environment, cwd=folder)

    run("data", "sample", "sample")
    run("practice", "start", "--port", "0")
    yield folder
    run("practice", "stop")


@pytest.fixture
def run_page(contract: object, shared: Path, tmp_path: Path) -> Callable[..., PageRun]:
    """Run the fences of a page, in order, in one shell and a directory of its own."""

    def run(
        page: Path, engine: str | None = None, services: Mapping[str, str] | None = None
    ) -> PageRun:
        for name in ("work", "printed", "home"):
            (tmp_path / name).mkdir()
        setup = setup_of(page)
        practises = "practice" in setup
        state = shared / "state" if practises else tmp_path / "state"
        variables = {
            "PRINTED": str(tmp_path / "printed"),
            "SHARED": str(shared),
            "MODELS": str(contract.root / "tests/models"),  # type: ignore[attr-defined]
        }
        variables |= {"DOCKER": engine} if engine else {}
        variables |= services or {}
        fences = [fence for fence in fences_of(page) if engine or not fence.needs_engine]
        stop = "" if practises else "numerai-predict practice stop >/dev/null 2>&1 || true"
        lines = [
            f"trap '{stop}' EXIT",
            'exec >"$PRINTED/0" 2>&1',
            *(_SETUP[name] for name in setup),
            script_of(fences, contract.root),  # type: ignore[attr-defined]
        ]
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
            cwd=tmp_path / "work",
            env=_environment(tmp_path / "home", state, shared / "cache") | variables,
            timeout=110,
            stdin=subprocess.DEVNULL,
        )
        outputs = {int(path.name): path.read_text() for path in (tmp_path / "printed").iterdir()}
        evidence.record_output(*outputs.values())
        return PageRun(ended.returncode, outputs)

    return run


@pytest.fixture
def s3_variables() -> Iterator[dict[str, str]]:
    """The variables of an S3 server with the buckets of the pages, and of a presigned POST."""
    moto = pytest.importorskip("moto.server", reason="needs moto (make setup)")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it prints whole URLs
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=_S3_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=_S3_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=_S3_CREDENTIALS["AWS_DEFAULT_REGION"],
    )
    client.create_bucket(Bucket="my-bucket")
    signed = client.generate_presigned_post("my-bucket", "by-post.csv")
    fields = urlencode(signed["fields"])
    evidence.add_secrets(_S3_CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    evidence.add_query_secrets(fields)
    post = {"POST_URL": signed["url"], "POST_DATA": fields}
    yield {**_S3_CREDENTIALS, **post, "AWS_ENDPOINT_URL_S3": url}
    keys = {found["Key"] for found in client.list_objects(Bucket="my-bucket").get("Contents", [])}
    server.stop()
    assert "by-post.csv" in keys
    assert any(key.startswith("predictions/") for key in keys), keys


@pytest.fixture(scope="session")
def engine() -> str | None:
    """A container engine that has the slim image of Python 3.12; none where there is none."""
    name = os.environ.get("DOCKER", "docker")
    if shutil.which(name) is None:
        return None
    image = "numerai_predict_py_3_12:latest-slim"
    found = subprocess.run([name, "image", "inspect", image], capture_output=True)
    return name if found.returncode == 0 else None

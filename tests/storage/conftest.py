"""What the tests of storage share: servers that break, servers that speak S3."""

from __future__ import annotations

import contextlib
import functools
import logging
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evidence
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # faults.py is a program's part too

from faults import Faults

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "S3RVER",
    "AWS_SECRET_ACCESS_KEY": "S3RVER",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture
def faults():
    """A server with planned faults; see `faults.py`."""
    server = Faults()
    yield server
    server.close()
    for asked in server.asked:
        evidence.add_request_secrets(asked.query, asked.headers, asked.body)


@pytest.fixture
def bad_tls(tmp_path_factory):
    """The same with TLS and a self-signed certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate (apt install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    server = Faults(certificate=certificate)
    yield server
    server.close()


@dataclass
class S3:
    """A server that speaks S3: where it is, a client of it, and the environment for others."""

    url: str

    @functools.cached_property
    def client(self) -> Any:
        return self.signer()

    @property
    def environment(self) -> dict[str, str]:
        return {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": self.url}

    def signer(self, kind: str = "s3v4") -> Any:
        """A client that signs in the newer way, or in the older one: `s3`."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            config=Config(signature_version=kind, s3={"addressing_style": "path"}),
        )

    def read(self, bucket: str, key: str) -> bytes:
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket: str) -> list[str]:
        return [
            found["Key"] for found in self.client.list_objects(Bucket=bucket).get("Contents", [])
        ]


@pytest.fixture(scope="session")
def _moto():
    reason = "moto is not here: images hold only what a run needs; `make test` runs this"
    server = pytest.importorskip("moto.server", reason=reason)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it prints whole URLs
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield S3(f"http://{host}:{port}")
    running.stop()


@pytest.fixture
def s3(_moto, monkeypatch):
    """moto's S3, where boto3 finds it by itself: it takes every signature for right."""
    for name, value in _moto.environment.items():
        monkeypatch.setenv(name, value)
    for bucket in ("models", "predictions"):
        _moto.client.create_bucket(Bucket=bucket)
    yield _moto
    for bucket in ("models", "predictions"):
        for key in _moto.keys(bucket):
            _moto.client.delete_object(Bucket=bucket, Key=key)
        _moto.client.delete_bucket(Bucket=bucket)


@pytest.fixture(scope="session")
def strict_s3(tmp_path_factory):
    """s3rver, an S3 that checks the signature and the expiry of a presigned GET."""
    folder = Path(__file__).parents[2] / ".s3rver"
    if shutil.which("npm") is None:
        pytest.skip("needs node and npm for s3rver, which checks signatures (apt install npm)")
    lock = Path(__file__).parent / "s3rver"
    if not (folder / "node_modules" / ".bin" / "s3rver").exists():
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(lock / name, folder)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if installed.returncode:
            pytest.skip(f"s3rver cannot be installed by npm: {installed.stderr[-300:]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = tmp_path_factory.mktemp("s3rver")
    command = ["node_modules/.bin/s3rver", "-d", data, "-a", "127.0.0.1", "-p", str(port)]
    command += ["--no-vhost-buckets", "--configure-bucket", "models"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as server:
        _wait_for(port, server)
        yield S3(f"http://127.0.0.1:{port}")
        server.terminate()


def _wait_for(port: int, server: subprocess.Popen) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert server.poll() is None, "s3rver ended"
        time.sleep(0.1)
    raise AssertionError("s3rver does not answer")

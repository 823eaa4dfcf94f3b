"""What the tests of storage share: servers that break, servers that speak S3."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

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
    """A server that breaks as told; see `faults.py`."""
    server = Faults()
    yield server
    server.close()


@pytest.fixture
def bad_tls(tmp_path_factory):
    """The same with TLS and a certificate that nobody signed."""
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

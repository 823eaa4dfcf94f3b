"""The Ray that a fleet run starts on this machine: on loopback, with a directory of its own."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants
from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]

from numerai_predict.contract.bootstrap import PACKAGE_ROOT
from numerai_predict.contract.temporary_files import require_temporary_directory
from numerai_predict.fleet.errors import FleetError
from numerai_predict.fleet.temporary_directory import FleetDirectory, remove_abandoned

_OBJECT_STORE_BYTES = 256 * 1024**2
_LOOPBACK = "127.0.0.1"
_TOKEN = "token"  # noqa: S105 - the name of a file
_RAY = "r"  # Ray opens this directory to all users, the one above to none
# The longest path of a socket (sun_path) and of one below Ray's directory.
_MAX_SOCKET_PATH = 107
_RAY_SOCKET = (
    "numerai-fleet-12345678/r/session_2000-01-01_00-00-00_000000_1234567/sockets/plasma_store"
)


class EmbeddedRay:
    """Files and settings of an embedded Ray; `close` follows when Ray has ended.

    Its directory may be entered by this user alone, also after the process was interrupted or
    killed. It holds the token that every request to this Ray must have.
    """

    def __init__(self) -> None:
        parent = _short_directory()
        remove_abandoned(parent)
        self._parent = parent
        self._directory = FleetDirectory(parent)
        self._token = self._directory.path / _TOKEN
        descriptor = os.open(self._token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables for all processes of this Ray."""
        return {
            "RAY_AUTH_TOKEN_PATH": str(self._token),
            # Without clusters of several nodes, Ray listens on loopback alone.
            ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0",
            **_module_path(os.environ),
        }

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of `ray.init`."""
        return {
            "include_dashboard": False,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "_node_ip_address": _LOOPBACK,
            "_temp_dir": str(self._directory.path / _RAY),
        }

    def close(self) -> None:
        """Remove its files, and those of worker actors that were killed."""
        self._directory.close()
        for parent in {self._parent, require_temporary_directory()}:
            remove_abandoned(parent)


@contextmanager
def loopback_only() -> Iterator[None]:
    """Start Ray in the block: it must take this machine's address to be a loopback address.

    Ray reads the variable of `EmbeddedRay.variables` when it is imported, that is before.

    Raises:
        FleetError: it took another address, on which others could reach it.
    """
    AuthenticationTokenLoader.instance().reset_cache()
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
    address = str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]
    if not ipaddress.ip_address(address).is_loopback:
        ray.shutdown()
        raise FleetError(
            f"expected Ray to listen on {_LOOPBACK} alone, found that it listens on {address}: "
            "install the locked version of Ray, or start one yourself and give --ray-address"
        )


def _module_path(environment: Mapping[str, str]) -> dict[str, str]:
    """The variable by which a worker actor finds this package and its libraries."""
    archive = str(PACKAGE_ROOT) if PACKAGE_ROOT.is_file() else ""
    paths = [path for path in (archive, environment.get("PYTHONPATH")) if path]
    return {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}


def _short_directory() -> Path:
    """A directory for temporary files whose path is short enough for that of a socket below it."""
    directory = require_temporary_directory()
    if len(os.fsencode(directory / _RAY_SOCKET)) <= _MAX_SOCKET_PATH:
        return directory
    shortest = Path("/tmp")  # noqa: S108 - it gets a directory for this user alone
    return shortest if os.access(shortest, os.W_OK | os.X_OK) else directory

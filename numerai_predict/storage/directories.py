"""The user's directories: snapshots, downloaded data sets, state, settings.

`NUMERAI_DATA_DIR` and `NUMERAI_PREDICT_CACHE` name a directory; else the `XDG_*` variables and
the platform's conventions (platformdirs) do. Where a platform has other conventions than
Linux, a directory that an earlier version made by Linux's conventions is still used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numerai_predict
from numerai_predict.contract.job import DatasetFolders
from numerai_predict.contract.path_access import is_directory
from numerai_predict.contract.server_name import API_URL, REAL_SERVER, is_loopback, server_of

_APP = "numerai-predict"
_NO_NAME = re.compile(r"[^A-Za-z0-9.-]+")


class NoHomeDirectory(RuntimeError):
    """The user has no home directory, and no variable names the directory."""


@dataclass(frozen=True)
class _Kind:
    """A kind of user directory: its variable, its path on Linux, platformdirs' name of it."""

    variable: str
    on_linux: str
    platform_name: str


_DATA = _Kind("XDG_DATA_HOME", ".local/share", "user_data_dir")
_STATE = _Kind("XDG_STATE_HOME", ".local/state", "user_state_dir")
_CACHE = _Kind("XDG_CACHE_HOME", ".cache", "user_cache_dir")
_CONFIG = _Kind("XDG_CONFIG_HOME", ".config", "user_config_dir")


def data_directory(environment: Mapping[str, str] = os.environ, api_url: str | None = None) -> Path:
    """The directory of snapshots: `NUMERAI_DATA_DIR`, else one for each server of the tournament.

    The server is that of `api_url`, else of `NUMERAI_API_URL`, else the real one.

    Raises:
        RuntimeError: the user has no home directory.
    """
    if chosen := environment.get("NUMERAI_DATA_DIR"):
        return Path(chosen).absolute()
    server = server_of(api_url or environment.get("NUMERAI_API_URL") or API_URL)
    if is_loopback(server):
        return practice_data_directory(practice_directory(environment))
    data = _require(_user_directory(_DATA, environment))
    if server == REAL_SERVER:
        return data / "data"
    return data / f"data-{_NO_NAME.sub('_', server.partition('://')[2])}"


def practice_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of the practice tournament's state.

    Raises:
        RuntimeError: the user has no home directory.
    """
    return state_directory(environment) / "practice"


def practice_data_directory(state: Path) -> Path:
    """The directory of snapshots of the practice tournament with this state."""
    return state / "snapshots"


def state_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of round ledgers and of the practice server.

    Raises:
        RuntimeError: the user has no home directory.
    """
    return _require(_user_directory(_STATE, environment))


def config_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of the user's settings.

    Raises:
        RuntimeError: the user has no home directory.
    """
    return _require(_user_directory(_CONFIG, environment))


def registry_location(environment: Mapping[str, str] = os.environ) -> str:
    """The directory or bucket of the registry: `NUMERAI_REGISTRY`, else a directory of the user's.

    Raises:
        RuntimeError: the user has no home directory.
    """
    if chosen := environment.get("NUMERAI_REGISTRY"):
        return chosen
    return str(_require(_user_directory(_DATA, environment)) / "registry")


def registered_copies_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of local copies of registered models, which commands run.

    Raises:
        RuntimeError: the user has no home directory.
    """
    return _require(_user_directory(_CACHE, environment)) / "registered"


def sample_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """The directory of the sample data set, one per version of this program.

    Raises:
        RuntimeError: the user has no home directory.
    """
    cache = _require(_user_directory(_CACHE, environment))
    return cache / f"sample-{numerai_predict.__version__}"


def cache_directory(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The directory of downloaded data sets; `None` for no cache.

    It is `NUMERAI_PREDICT_CACHE`, where `none` turns the cache off, else one of the user's
    cache. Without a home directory there is no cache.
    """
    if chosen := environment.get("NUMERAI_PREDICT_CACHE"):
        return None if chosen.lower() == "none" else Path(chosen).absolute()
    cache = _user_directory(_CACHE, environment)
    return cache / "datasets" if cache else None


def dataset_folders(environment: Mapping[str, str] = os.environ) -> DatasetFolders:
    """Where a run finds data sets by name: the snapshots, and the cache."""
    try:
        snapshots: Path | None = data_directory(environment)
    except RuntimeError:
        snapshots = None
    return DatasetFolders(snapshots, cache_directory(environment))


def _user_directory(kind: _Kind, environment: Mapping[str, str]) -> Path | None:
    """This program's directory of the kind; `None` where the user has no home directory."""
    import platformdirs

    if parent := environment.get(kind.variable):
        return Path(parent).absolute() / _APP
    # The user is the author on Windows alone. Without a home, older versions of platformdirs give
    # a path that starts with a tilde, newer ones raise.
    try:
        path = Path(getattr(platformdirs, kind.platform_name)(_APP, appauthor=False))
    except RuntimeError:
        return None
    if not path.is_absolute():
        return None
    earlier = Path.home() / kind.on_linux / _APP
    return earlier if is_directory(earlier) and not is_directory(path) else path


def _require(path: Path | None) -> Path:
    if path is None:
        raise NoHomeDirectory(
            "expected a home directory of the user, found none: set HOME, or NUMERAI_DATA_DIR and "
            "the XDG_* variables"
        )
    return path

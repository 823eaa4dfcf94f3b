"""The server of the tournament that a directory of snapshots belongs to: one server, one store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.server_name import REAL_SERVER, is_loopback, same_server
from numerai_predict.storage.snapshot_manifest import SnapshotEntry, read_snapshot_document


def servers_by_file(folder: Path) -> dict[str, str]:
    """The tournament's server that each file of a store came from; none without a manifest.

    A manifest of an earlier version names no server of the store. Its files are the real
    tournament's, except for those that came from a server of this machine.

    Raises:
        DatasetUnavailable: the manifest cannot be read.
    """
    document = read_snapshot_document(folder)
    return {name: document.server or _server_of(entry) for name, entry in document.files.items()}


def require_server(folder: Path, server: str) -> None:
    """Require a store that is empty or belongs to the server.

    A store of an earlier version that has files of several servers is the real tournament's, which
    may replace the files of the others.

    Raises:
        DatasetUnavailable: it belongs to another server, or its manifest cannot be read.
    """
    found = sorted(set(servers_by_file(folder).values()))
    others = [each for each in found if not same_server(each, server)]
    if not others or (server == REAL_SERVER and REAL_SERVER in found):
        return
    raise DatasetUnavailable(
        f"expected data of {server} in {folder}, found those of {', '.join(found)}",
        f"{_remedy(server)}; or name another directory with --data-dir or NUMERAI_DATA_DIR",
    )


def common_server(files: Iterable[str], servers: Mapping[str, str]) -> str | None:
    """The one server that these files came from; `None` where the manifest lists none of them.

    Raises:
        DatasetUnavailable: they came from several.
    """
    found: dict[str, str] = {}
    for name in files:
        if name in servers:
            found.setdefault(servers[name], name)
    if len(found) > 1:
        shown = ", ".join(f"{name} of {server}" for server, name in found.items())
        raise DatasetUnavailable(
            f"expected files of one server, found {shown}",
            "fetch all of them again from one server: numerai-predict data get --refetch",
        )
    return next(iter(found), None)


def server_of_files(directory: Path, paths: Iterable[Path]) -> str | None:
    """The server that files in a directory of one data version came from; `None` if unknown.

    Raises:
        DatasetUnavailable: they came from several, or a manifest cannot be read.
    """
    files = list(paths)
    for store in (directory.parent, directory):
        names = [str(path.relative_to(store)) for path in files]
        if server := common_server(names, servers_by_file(store)):
            return server
    return None


def label_for(server: str, entries: Mapping[str, SnapshotEntry], known: str | None) -> str | None:
    """The server that a store's manifest may name after a fetch from it.

    `None` while files of an earlier version are those of another server.
    """
    if known is not None or all(same_server(_server_of(each), server) for each in entries.values()):
        return server
    is_other = server != REAL_SERVER and not is_loopback(server)  # files may lie anywhere
    return server if is_other else None


def _server_of(entry: SnapshotEntry) -> str:
    """The server of an entry; the real tournament's files lie on a server of their own."""
    return entry.server if entry.server and is_loopback(entry.server) else REAL_SERVER


def _remedy(server: str) -> str:
    if server == REAL_SERVER:
        return (
            'for the practice tournament: eval "$(numerai-predict practice env)"; '
            "for the real one: unset NUMERAI_DATA_DIR"
        )
    return "for the real tournament: unset NUMERAI_API_URL"

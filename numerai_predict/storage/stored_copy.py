"""Copies of a data set that this machine has: in the snapshots, or in the cache."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.storage.files import part_beside
from numerai_predict.storage.snapshot_manifest import read_snapshot_manifest
from numerai_predict.storage.transfer.download import STEP

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredCopy:
    """A file, the hash of its bytes, and the ETag that its server gave them.

    `fetched` is when it was downloaded, in seconds since the epoch; `location` names the
    store, for the log.
    """

    path: Path
    sha256: str
    etag: str
    fetched: float
    location: str

    def write_to(self, target: Path, deadline: Deadline) -> bool:
        """Copy the file to the target; `False` if it is gone or its bytes are not the hashed ones.

        Raises:
            OSError: the target cannot be written.
            DeadlinePassed: the time for the whole run is over.
        """
        digest = hashlib.sha256()
        with part_beside(target) as part:
            try:
                reader = open(self.path, "rb")  # noqa: SIM115 - closed below
            except OSError:
                return False
            with reader, open(part, "wb") as writer:
                while chunk := reader.read(_CHUNK_BYTES):
                    deadline.check(STEP)
                    digest.update(chunk)
                    writer.write(chunk)
            if digest.hexdigest() != self.sha256:
                return False
            part.replace(target)
        return True


def find_in_snapshots(folder: Path | None, name: str, server: str) -> StoredCopy | None:
    """The file of that name in a directory of snapshots, if it came from that server.

    An entry without a server, of an earlier version, may be from any. Whether the file is
    current is for the caller to check, by its ETag; its bytes are verified as they are copied.
    A manifest that cannot be read is that of no snapshot here: `data verify` reports it.
    """
    if folder is None:
        return None
    try:
        entry = read_snapshot_manifest(folder).get(name)
    except DatasetUnavailable:
        return None
    if entry is None or entry.etag is None or entry.server not in (None, server):
        return None
    path = folder / name
    try:
        status = path.stat()
    except OSError:
        return None
    if status.st_size != entry.bytes:
        return None
    location = f"the snapshots in {folder}"
    return StoredCopy(path, entry.sha256, entry.etag, status.st_mtime, location)

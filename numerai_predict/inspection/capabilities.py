"""What a pickle might do, for information: every cloudpickle can do anything.

A module that gives a function the means is a fact; that it is used for harm is not.
"""

from __future__ import annotations

from collections.abc import Iterable

_MODULES = {
    "network": (
        "socket ssl http urllib urllib3 requests aiohttp httpx websockets ftplib smtplib "
        "xmlrpc telnetlib paramiko boto3 botocore numerapi grpc google yfinance"
    ),
    "processes": "subprocess multiprocessing pty pexpect ctypes cffi",
    "files": "pathlib shutil tempfile glob fileinput sqlite3 h5py fsspec s3fs",
}
_NAMES = {
    "processes": "os.system os.popen os.fork os.kill posix.system nt.system os.execv os.spawnv",
    "files": "builtins.open io.open os.remove os.unlink os.makedirs",
    "code": "builtins.eval builtins.exec builtins.compile builtins.__import__",
}
# Names that a function looks up when it runs; what they are is not known before.
_WORDS = {"files": "open", "processes": "system popen", "code": "eval exec"}


def capabilities(
    modules: Iterable[str], names: Iterable[str], words: Iterable[str]
) -> dict[str, list[str]]:
    """What gives the model which ability: `{"network": ["requests"]}`, sorted.

    `modules` are imported, `names` (with their module) taken by reference, `words`
    looked up in functions.
    """
    found: dict[str, set[str]] = {}
    tops = {module.partition(".")[0] for module in modules}
    for ability, means in _MODULES.items():
        found.setdefault(ability, set()).update(tops & set(means.split()))
    for table, used in ((_NAMES, set(names)), (_WORDS, set(words))):
        for ability, means in table.items():
            found.setdefault(ability, set()).update(used & set(means.split()))
    return {ability: sorted(means) for ability, means in found.items() if means}

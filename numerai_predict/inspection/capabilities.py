"""What the code of a pickle may access. For information only: any pickle can run any code.

The presence of a module or name does not mean that the model misuses it.
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
_REFERENCES = {
    "processes": "os.system os.popen os.fork os.kill posix.system nt.system os.execv os.spawnv",
    "files": "builtins.open io.open os.remove os.unlink os.makedirs",
    "code": "builtins.eval builtins.exec builtins.compile builtins.__import__",
}
# Names that a function looks up when it runs; what they refer to is not known before.
_LOOKED_UP_NAMES = {"files": "open", "processes": "system popen", "code": "eval exec"}


def capabilities(
    modules: Iterable[str], references: Iterable[str], looked_up: Iterable[str]
) -> dict[str, list[str]]:
    """The modules and names that provide each ability, sorted: `{"network": ["requests"]}`.

    `modules` are imported modules, `references` imported names with their module, `looked_up`
    names that functions look up when they run.
    """
    found: dict[str, set[str]] = {}
    top_level = {module.partition(".")[0] for module in modules}
    for ability, members in _MODULES.items():
        found.setdefault(ability, set()).update(top_level & set(members.split()))
    for table, used in ((_REFERENCES, set(references)), (_LOOKED_UP_NAMES, set(looked_up))):
        for ability, members in table.items():
            found.setdefault(ability, set()).update(used & set(members.split()))
    return {ability: sorted(members) for ability, members in found.items() if members}

"""Checks that no output shows a secret: the suite compares both when it ends.

The outputs are what any process started by a test printed, what a run recorded, and each error
raised in a test's own process, with its traceback. The secrets are taken from command lines and
requests: queries of URLs, form fields, passwords, keys. Workers of pytest-xdist write theirs to
files, which the main process reads.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SHORTEST = 8  # characters; a shorter secret would be found by chance

texts: list[str] = []
secrets: set[str] = set()

_FORM_FIELD = re.compile(rb'name="(?!file")[^"]+"\r\n\r\n(.*?)\r\n--', re.DOTALL)
_PUBLIC_VALUES = {"text/csv", "AWS4-HMAC-SHA256"}
_SECRET_HEADERS = {"authorization", "x-amz-security-token"}


def record_output(*outputs: str | bytes | None) -> None:
    """Keep what a process printed or a run recorded."""
    for output in outputs:
        if output:
            texts.append(output if isinstance(output, str) else output.decode(errors="replace"))


def record_error(error: BaseException) -> None:
    """Keep an error with its causes, without the source lines of tests, which name secrets."""
    report = traceback.TracebackException.from_exception(error)
    pending, seen = [report], []
    while pending:
        part = pending.pop()
        part.stack[:] = [frame for frame in part.stack if "/tests/" not in frame.filename]
        seen.append(part)
        causes = (part.__cause__, part.__context__)
        pending += [cause for cause in causes if cause and cause not in seen]
    attributes = (str(getattr(error, name, "")) for name in ("message", "remedy"))
    record_output("".join(report.format()), *attributes)


def add_secrets(*values: str) -> None:
    """Add secrets by themselves, such as keys."""
    _add(values)


def add_query_secrets(query: str) -> None:
    """Add the query of a URL and each value in it."""
    _add([query, *(value for _, value in parse_qsl(query))])


def add_request_secrets(query: str, headers: dict[str, str], body: bytes) -> None:
    """Add the secrets of a request that a server received."""
    add_query_secrets(query)
    _add(value for name, value in headers.items() if name.lower() in _SECRET_HEADERS)
    _add(value.decode(errors="replace") for value in _FORM_FIELD.findall(body))


def add_command_secrets(argv: Iterable[Any]) -> None:
    """Add the secrets of a command line: queries and passwords of URLs, values of `--post_data`."""
    arguments = [] if isinstance(argv, str) else [str(argument) for argument in argv]
    for argument, option in zip(arguments, ["", *arguments], strict=False):
        if option in ("--post_data", "--post-data"):
            add_query_secrets(argument)
        elif "://" in argument and "\n" not in argument:
            url, _, query = argument.partition("?")
            add_query_secrets(query)
            _add([urlsplit(url.replace("[", "")).password or ""])


def _add(values: Iterable[str]) -> None:
    secrets.update(v for v in values if len(v) >= SHORTEST and v not in _PUBLIC_VALUES)


def leaks() -> list[str]:
    """A line for each secret that a text shows: its start, and the text before it."""
    return [
        f"{secret[:4]}... after: {text[max(0, text.index(secret) - 200) : text.index(secret)]!r}"
        for text in texts
        for secret in secrets
        if secret in text
    ]


def save(path: Path) -> None:
    """Write texts and secrets for the main process of a parallel run."""
    path.write_text(json.dumps({"texts": texts, "secrets": sorted(secrets)}))


def load(folder: Path) -> None:
    """Add the texts and secrets of all workers of a parallel run."""
    for path in sorted(folder.glob("*.json")):
        saved = json.loads(path.read_text())
        texts.extend(saved["texts"])
        secrets.update(saved["secrets"])

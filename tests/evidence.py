"""What the suite said, and the secrets that it used: `test_secrets.py` compares the two.

Said is what any process started by a test printed, what a run recorded, and each error that
was made in a test's own process, with its traceback. Secrets are what command lines and
requests held of them: queries of URLs, fields of forms, passwords, keys.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SHORTEST = 8  # what is shorter is found anywhere

said: list[str] = []
secrets: set[str] = set()

_FIELD = re.compile(rb'name="(?!file")[^"]+"\r\n\r\n(.*?)\r\n--', re.DOTALL)
_PUBLIC = {"text/csv", "AWS4-HMAC-SHA256"}


def hear(*words: str | bytes | None) -> None:
    """Keep what was said."""
    for text in words:
        if text:
            said.append(text if isinstance(text, str) else text.decode(errors="replace"))


def hear_error(error: BaseException) -> None:
    """Keep an error with all that it came from, less the lines of tests, which name secrets."""
    told = traceback.TracebackException.from_exception(error)
    chain, seen = [told], []
    while chain:
        part = chain.pop()
        part.stack[:] = [frame for frame in part.stack if "/tests/" not in frame.filename]
        seen.append(part)
        chain += [more for more in (part.__cause__, part.__context__) if more and more not in seen]
    hear("".join(told.format()), *(str(getattr(error, name, "")) for name in ("message", "remedy")))


def learn_query(query: str) -> None:
    """The query of a URL is a secret, and so is each value in it."""
    _learn([query, *(value for _, value in parse_qsl(query))])


def learn_request(query: str, headers: dict[str, str], body: bytes) -> None:
    """What a server was sent."""
    learn_query(query)
    _learn(value for name, value in headers.items() if name.lower() in _SECRET_HEADERS)
    _learn(value.decode(errors="replace") for value in _FIELD.findall(body))


def learn_command(words: Iterable[Any]) -> None:
    """What a command line holds: queries and passwords of URLs, values of `--post_data`."""
    words = [str(word) for word in words] if not isinstance(words, str) else []
    for word, before in zip(words, ["", *words], strict=False):
        if before == "--post_data":
            learn_query(word)
        elif "://" in word and "\n" not in word:
            learn_query(word.partition("?")[2])
            _learn([urlsplit(word.partition("?")[0].replace("[", "")).password or ""])


def learn(*values: str) -> None:
    """Secrets by themselves, such as keys."""
    _learn(values)


_SECRET_HEADERS = {"authorization", "x-amz-security-token"}


def _learn(values: Iterable[str]) -> None:
    secrets.update(value for value in values if len(value) >= SHORTEST and value not in _PUBLIC)

"""The code fences of the documentation, and what the comment before a fence says about it.

A page is Markdown. The lines directly before a fence may hold one comment:

    <!-- run: file NAME -->     the text of the fence is written to this file
    <!-- run: checkout -->      the commands run in the root of the checkout
    <!-- run: exit CODE -->     the last command ends with this exit code
    <!-- run: engine -->        needs a container engine and the slim image of Python 3.12
    <!-- run: with practice --> runs while the practice tournament has a model my_model
    <!-- run: with S3 -->       runs with credentials of an S3 server, which has the buckets
                                my-bucket and models, and with a presigned POST
    <!-- run: never, REASON --> is not executed: why, and which test has what is in it; its
                                options are checked anyway
    <!-- run: output -->        what the commands before print, compared line by line

Fences of `sh` and `python` without a comment run as they stand; others are shown only. The first
line of a page may name what its directory holds before the first fence:

    <!-- setup: sample, model, practice -->

`tests/docs/conftest.py` lists the names.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"(?:^<!-- run: (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_SETUP = re.compile(r"\A(?:---\n.*?---\n)?<!-- setup: ([^\n]*?) -->", re.DOTALL)
_RUNNABLE = {"sh", "python"}
_PRACTICE = """numerai-predict practice start --port 0 --model-name my_model
eval "$(numerai-predict practice env)"
{commands}numerai-predict practice stop
"""


@dataclass(frozen=True)
class Fence:
    """One code fence; `mark` is the text of its comment after `run:`."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def is_run(self) -> bool:
        return self.language in _RUNNABLE and not self.mark.startswith(("file ", "never", "output"))

    @property
    def needs_engine(self) -> bool:
        return self.mark == "engine"

    @property
    def needs_s3(self) -> bool:
        return self.mark == "with S3"


def fences_of(page: Path) -> list[Fence]:
    """Every fence of the page, in order."""
    text = page.read_text()
    return [
        Fence(
            page,
            text.count("\n", 0, found.start("language")) + 1,
            found["language"],
            found["mark"] or "",
            found["text"],
        )
        for found in _FENCE.finditer(text)
    ]


def setup_of(page: Path) -> list[str]:
    """What the directory of the page holds before its first fence."""
    found = _SETUP.match(page.read_text())
    return [name.strip() for name in found[1].split(",")] if found else []


def executed_pages(root: Path) -> list[Path]:
    """The pages whose commands are executed."""
    docs = root / "docs"
    return sorted([*(docs / "tutorial").rglob("*.md"), *(docs / "how-to").rglob("*.md")])


def output_fences(page: Path) -> list[tuple[Fence, int]]:
    """Each output fence with the line of the commands before it."""
    pairs, line = [], 0
    for fence in fences_of(page):
        if fence.is_run:
            line = fence.line
        elif fence.mark == "output":
            pairs.append((fence, line))
    return pairs


def script_of(fences: list[Fence], checkout: Path) -> str:
    """One bash program for a page; what each fence prints goes to `$PRINTED/<line>`."""
    parts = ["set -euo pipefail"]
    for fence in fences:
        if fence.mark.startswith("file "):
            parts.append(_write_file(fence))
        elif fence.is_run:
            parts.append(_run(fence, checkout))
    return "\n".join(parts) + "\n"


def _write_file(fence: Fence) -> str:
    name = fence.mark.removeprefix("file ")
    return f"mkdir -p $(dirname {name})\ncat >{name} <<'END_OF_FILE'\n{fence.text}END_OF_FILE"


def _run(fence: Fence, checkout: Path) -> str:
    commands = fence.text
    if fence.language == "python":
        commands = f"python -W ignore - <<'END_OF_PROGRAM'\n{fence.text}END_OF_PROGRAM\n"
    if fence.mark == "checkout":
        commands = f"cd {checkout}\n{commands}cd - >/dev/null\n"
    if fence.mark == "with practice":
        commands = _PRACTICE.format(commands=commands)
    if fence.mark.startswith("exit "):
        code = fence.mark.removeprefix("exit ")
        commands = f"set +e\n(set -e\n{commands})\ncode=$?\nset -e\n[ $code = {code} ]\n"
    return f'exec >"$PRINTED/{fence.line}" 2>&1\n{commands}'


def differs(expected: str, printed: str) -> list[str]:
    """The lines of an output fence that the commands did not print.

    Numbers and times may be others, `...` stands for anything, the width of spaces is free.
    """
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    return [
        line
        for line in expected.splitlines()
        if line.strip() and not any(_pattern(line).fullmatch(each) for each in lines)
    ]


def _pattern(line: str) -> re.Pattern[str]:
    tokens = " ".join(line.split())
    pattern = "".join(
        ".*" if part == "..." else r"\S*\d\S*" if re.search(r"\d", part) else re.escape(part)
        for part in re.split(r"(\.\.\.|[^\s.]*\d\S*)", tokens)
    )
    return re.compile(pattern)


@dataclass(frozen=True)
class CommandLine:
    """One call of a program of ours; `tokens` are its arguments."""

    program: str
    tokens: tuple[str, ...]
    text: str


def command_lines(text: str) -> list[CommandLine]:
    """The calls of `numerai-predict` and of `predict.py` (in an image) in lines of a shell."""
    text = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", text, flags=re.DOTALL).replace("\\\n", " ")
    inner = re.findall(r"\$\(([^()]*numerai-predict[^()]*)\)", text)
    lines = [*text.splitlines(), *inner]
    return [call for line in lines for part in _simple_commands(line) for call in _calls(part)]


def _simple_commands(line: str) -> list[str]:
    """The parts of a line that `;`, `|` and `&&` separate, without redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        tokens = list(lexer)
    except ValueError:  # prose, with an apostrophe
        return []
    parts: list[list[str]] = [[]]
    for token in tokens:
        if set(token) <= set(";|&()"):
            parts.append([])
        else:
            parts[-1].append(token)
    return [shlex.join(_without_redirections(part)) for part in parts if part]


def _without_redirections(tokens: list[str]) -> list[str]:
    kept, skip = [], False
    for token in tokens:
        if skip:
            skip = False
        elif token and set(token) <= set("<>&"):
            skip = True
            if kept and kept[-1].isdecimal():  # the descriptor in `2>`
                kept.pop()
        else:
            kept.append(token)
    return kept


def _calls(command: str) -> list[CommandLine]:
    tokens = shlex.split(command)
    for index, token in enumerate(tokens):
        if token == "numerai-predict" or token.endswith("/numerai-predict"):
            return [CommandLine("numerai-predict", tuple(tokens[index + 1 :]), command)]
        if token.startswith("numerai_predict_py_") and "run" in tokens[:index]:
            return [CommandLine("predict.py", tuple(tokens[index + 1 :]), command)]
        if token.startswith("OPTIONS="):
            options = shlex.split(token.removeprefix("OPTIONS="))
            return [CommandLine("numerai-predict", ("run", "my.pkl", *options), command)]
    return []

"""Every command line and every option in a text is one that the parsers know."""

import json
import re
from pathlib import Path

import pytest
import tomllib
from doc_pages import command_lines, fences_of

from numerai_predict.cli.main import build_parser
from numerai_predict.runner.options import Defaults, predict_parser

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]  # the others are generated
SCHEDULES = [
    *sorted(path for path in (ROOT / "deploy").rglob("*") if path.is_file()),
    ROOT / ".github/workflows/submit.yml",
]
# Options of programs that are not ours.
FOREIGN = {
    "--cap-drop",
    "--cpus",
    "--init",
    "--example",
    "--network",
    "--read-only",
    "--require-hashes",
    "--security-opt",
    "--tmpfs",
    "--user",
}
# Options of other programs that are deprecated ones of ours: only where the page is about those.
FOREIGN_ON_PAGE = {"move-from-numerai-cli.md": {"--local"}}
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def name_of(path):
    return str(path.relative_to(ROOT))


def parser_of(program):
    if program == "predict.py":
        return predict_parser(Defaults.hosted({}))
    return build_parser()


def check(call, capsys):
    """Parse the call: any complaint, and any warning of a deprecated spelling, fails."""
    try:
        parser_of(call.program).parse([token for token in call.tokens if token != "..."])
    except SystemExit as ended:
        if ended.code:
            pytest.fail(f"{call.text}\n{capsys.readouterr().err}")
    assert capsys.readouterr().err == "", call.text


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_in_a_fence_can_be_parsed(page, capsys):
    for fence in fences_of(page):
        if fence.language == "sh":
            for call in command_lines(fence.text):
                check(call, capsys)


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_every_option_in_a_text_is_known_and_not_deprecated(page):
    known = options_of(build_parser()) | options_of(parser_of("predict.py")) | FOREIGN
    known |= FOREIGN_ON_PAGE.get(page.name, set())
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    named = {
        option
        for code in re.findall(r"`([^`\n]+)`", prose)
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)
    }
    assert named - known == set()


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_every_extra_in_a_text_is_one_of_the_package(page):
    named = re.findall(r"numerai-predict\[([\w,]+)\]", page.read_text())
    assert {extra for names in named for extra in names.split(",")} <= EXTRAS.keys()


def options_of(parser):
    own = {spelling for action in parser._actions for spelling in action.option_strings}
    if parser.commands is None:
        return own
    return own.union(*map(options_of, parser.commands.choices.values()))


@pytest.mark.parametrize("path", SCHEDULES, ids=name_of)
def test_what_a_schedule_starts_can_be_parsed(path, capsys):
    pattern = r"^ +(numerai-predict .*)$" if path.suffix == ".md" else r"(\S*numerai-predict .*)$"
    lines = re.findall(pattern, path.read_text(), re.MULTILINE)
    calls = [
        call
        for line in lines
        for call in command_lines(line)
        if call.tokens[0] in {"round", "fleet"}
    ]
    for call in calls:
        check(call, capsys)
    if path.name in {"crontab", "numerai-round.service", "submit.yml"}:
        assert calls


def test_the_commands_of_the_notebook_can_be_parsed(capsys):
    cells = json.loads((ROOT / "notebooks/train.ipynb").read_text())["cells"]
    calls = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and source.startswith("%%bash"):
            calls += command_lines(source.partition("\n")[2])
        if cell["cell_type"] == "markdown":
            codes = re.findall(r"`(numerai-predict [^`]*--[^`]*)`", source)
            calls += [call for code in codes for call in command_lines(code)]
    assert calls
    for call in calls:
        check(call, capsys)


def test_the_commands_of_a_line_are_found():
    text = 'eval "$(numerai-predict practice env)"; numerai-predict run a.pkl >out | cat\n'
    assert {call.tokens for call in command_lines(text)} == {("practice", "env"), ("run", "a.pkl")}

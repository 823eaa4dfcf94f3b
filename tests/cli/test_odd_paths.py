"""Any path in any option: the output stays printable, no line is forged, no path is a bug.

The options are found in the parsers, so that a new one is tested without a word here.
"""

import argparse
import re
import unicodedata

import pytest

from numerai_predict.cli.main import build_parser, main
from numerai_predict.runner import run_log

pytestmark = [pytest.mark.process, pytest.mark.server]

PATHS = ("FILE", "DIR", "PATH", "PICKLE", "SOURCE", "MANIFEST", "CONFIG")
FORGED = "12:00:00 verdict  ok (exit 0): forged"
ODD = {
    "characters": f"missing\n{FORGED}\x1b[2J\x9b\u202e\u2028/x",
    "undecodable": f"missing\n{FORGED}\x1b\udcff/x",
    "above": "../missing/../x",
    "long": "x" * 300,
    "a link to itself": "loop",
    "below a link to itself": "loop/x",
    "a directory of an odd name": f"odd\n{FORGED}\x1b[2J\u202e",
    "an empty file": "empty",
    "a device": "/dev/null",
}
# The first would leave a server running; the second prints quoted text for a shell to execute.
LEFT_OUT = (("practice", "start"), ("practice", "env"))
# What a command needs beside the option under test.
OTHERS = {
    ("round",): ["--model-name", "m"],
    ("submit",): ["--model-name", "m"],
    ("upload",): ["--model-name", "m"],
    ("status",): ["--model-name", "m"],
    ("run",): ["--no-container"],
    ("diagnose",): ["--no-container"],
    ("deliver",): ["--post-url", "http://127.0.0.1:1/", "--post-data", "key=k"],
    ("practice", "fault"): ["late"],
    ("data", "sample"): ["--rows=10", "--train-eras=2", "--validation-eras=2", "--live-rows=10"],
}


def commands(parser, words=()):
    parser.fill()
    if parser.commands is None:
        yield words, parser
        return
    for name, each in parser.commands.choices.items():
        yield from commands(each, (*words, name))


def path_options():
    """Each command with each of its options and arguments that are paths."""
    for words, parser in commands(build_parser()):
        for action in parser._actions:
            left_out = action.help == argparse.SUPPRESS or words in LEFT_OUT
            if action.metavar in PATHS and not left_out:
                option = max(action.option_strings, key=len, default="")
                named = f"{' '.join(words)} {option or action.metavar}"
                yield pytest.param(words, parser, action, option, id=named)


def arguments(words, parser, action, option, value):
    """A command line with the value for the option; other arguments name files that are absent."""
    argv = [*words, *OTHERS.get(words, [])]
    for other in parser._actions:
        required = other.required and not other.option_strings
        if required and other is not action and words not in (("practice", "fault"),):
            argv.append("absent")
    return [*argv, *([f"{option}={value}"] if option else ["--", value])]


@pytest.fixture
def run(monkeypatch, capsys, tmp_path, closed_port):
    """Run a command in an own directory; its exit code and its output."""
    work = tmp_path / "one" / "two"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    (work / "loop").symlink_to("loop")
    (work / ODD["a directory of an odd name"]).mkdir()
    (work / "empty").touch()
    settings = {"DOCKER": "false", "NUMERAI_API_URL": f"http://127.0.0.1:{closed_port}"}
    settings |= {"NUMERAI_PUBLIC_ID": "", "NUMERAI_SECRET_KEY": "", "NO_PROXY": "*"}
    settings |= {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    settings |= {"XDG_DATA_HOME": str(tmp_path / "data")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(run_log.logger, "handlers", [])  # one that writes to this test's output

    def run(argv):
        try:
            code = main(argv)
        except SystemExit as exit_:
            code = exit_.code
        out = capsys.readouterr()
        return code, out.out + out.err

    return run


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(("words", "parser", "action", "option"), list(path_options()))
def test_an_odd_path_is_reported_on_printable_lines(run, words, parser, action, option, name):
    code, output = run(arguments(words, parser, action, option, ODD[name]))
    assert code != 70, output
    assert "Traceback" not in output
    output.encode()
    categories = {unicodedata.category(character) for character in output.replace("\n", "")}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}, output
    assert not re.search(rf"^{re.escape(FORGED)}", output, re.MULTILINE), output


def test_every_command_with_a_path_is_found():
    found = {" ".join(parameters.values[0]) for parameters in path_options()}
    assert found >= {"run", "inspect", "diagnose", "train", "fleet run", "fleet status", "deliver"}
    assert found >= {"data get", "data sample", "round", "submit", "upload", "practice stop"}

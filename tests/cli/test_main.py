"""`numerai-predict`: one tree of parsers, one parse, help and starts without slow imports."""

import subprocess
import sys
from pathlib import Path

import pytest

import numerai_predict
from numerai_predict.cli.command_table import COMMANDS
from numerai_predict.cli.main import build_parser, main
from numerai_predict.runner.option_parser import OptionParser

MODEL = Path(__file__).parents[1] / "models/py{}.{}/one_argument.pkl".format(*sys.version_info)
SLOW = ("pandas", "numpy", "pyarrow", "requests", "boto3", "pydantic", "ray", "rich", "jinja2")


def leaves(parser=None):
    """Every parser of a command without sub-commands."""
    parser = parser or build_parser()
    if parser.commands is None:
        return [parser]
    return [leaf for child in parser.commands.choices.values() for leaf in leaves(child)]


def words_of(parser):
    return parser.prog.split()[1:]


ALL = [" ".join(words_of(parser)) for parser in leaves()]


def test_without_a_command_it_prints_its_help(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: numerai-predict COMMAND")


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_lists_the_commands_in_groups(exits, word):
    code, printed = exits(word)
    assert code == 0
    for command in COMMANDS:
        assert f"\n  {command.name} " in printed.out
    for group in ("models", "data", "tournament", "shell"):
        assert f"\n{group}:\n" in printed.out
    assert len(printed.out.splitlines()) <= 30


@pytest.mark.parametrize("words", [(), ("run",), ("data", "list"), ("practice", "clock")])
def test_the_version_is_that_of_the_package(exits, words):
    code, printed = exits(*words, "--version")
    assert (code, printed.out) == (0, f"numerai-predict {numerai_predict.__version__}\n")


@pytest.mark.parametrize("command", ALL)
def test_every_command_has_help_with_an_example(exits, command):
    code, printed = exits(*command.split(), "--help")
    assert code == 0
    assert printed.err == ""
    assert printed.out.startswith(f"usage: numerai-predict {command}")
    assert "\nexample:\n  " in printed.out
    assert "--debug" in printed.out
    assert "SUPPRESS" not in printed.out
    assert all(len(line) <= 100 for line in printed.out.splitlines())


@pytest.mark.parametrize("command", ["fleet", "data", "practice"])
def test_a_command_with_sub_commands_has_help(exits, command):
    code, printed = exits(command, "--help")
    assert code == 0
    assert printed.out.startswith(f"usage: numerai-predict {command} COMMAND")


def test_every_option_is_in_kebab_case_or_an_alias_of_one():
    for parser in [*leaves(), build_parser()]:
        for action in parser._actions:
            if action.option_strings:
                first = max(action.option_strings, key=lambda option: option.startswith("--"))
                assert "_" not in first, (parser.prog, first)
                assert action.help, (parser.prog, first)


def test_every_default_is_shown():
    without = {None, False, ()}
    for parser in leaves():
        for action in parser._actions:
            default = tuple(action.default) if isinstance(action.default, list) else action.default
            if action.option_strings and default not in without and default != "":
                assert "default:" in action.help or default == "==SUPPRESS==", action


@pytest.mark.process
def test_the_tree_and_all_help_import_nothing_slow():
    program = (
        "import sys; from numerai_predict.cli.main import build_parser\n"
        "def show(parser):\n"
        "    parser.format_help()\n"
        "    for child in (parser.commands.choices.values() if parser.commands else ()):\n"
        "        show(child)\n"
        "show(build_parser())\n"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert printed.stdout == "[]\n", printed.stderr


@pytest.mark.parametrize("name", ["rounds", "status"])
def test_commands_that_need_no_pandas_do_not_import_it(numerai, closed_port, name):
    before = (
        "import atexit, sys; atexit.register("
        "lambda: print('pandas' in sys.modules, 'numerapi' in sys.modules))\n"
    )
    keys = {"NUMERAI_PUBLIC_ID": "a", "NUMERAI_SECRET_KEY": "b"}
    address = f"http://127.0.0.1:{closed_port}"
    ended = numerai(name, "--deadline", 1, before=before, NUMERAI_API_URL=address, **keys)
    assert ended.stdout == "False False\n", ended.stderr
    assert ended.returncode == 87


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        ("status", "pydantic_settings", "tournament"),
        ("upload x.pkl --model-name x", "pydantic_settings", "tournament"),
        ("diagnose x.pkl", "jinja2", "diagnostics"),
        ("train", "lightgbm", "training"),
        ("train", "pydantic_settings", "training"),
        ("fleet status x", "ray", "fleet"),
        ("completion bash", "shtab", "cli"),
    ],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(numerai, words, package, extra):
    before = f"import sys; sys.modules[{package!r}] = None\n"
    ended = numerai(*words.split(), before=before)
    assert ended.returncode == 2
    assert f"expected the package {package}, found none" in ended.stderr
    assert f"pip install 'numerai-predict[{extra}]'" in ended.stderr
    assert "Traceback" not in ended.stderr
    shown = numerai(*words.split(), "--help", before=before)
    assert shown.returncode == 0, shown.stderr


def test_the_parser_of_a_command_is_filled_on_first_use():
    parser = build_parser(lazy=True)
    assert parser.commands is not None
    run = parser.commands.choices["run"]
    assert isinstance(run, OptionParser)
    assert "--memory" not in run._option_string_actions
    parser.parse(["run", "m.pkl"])
    assert "--memory" in run._option_string_actions
    assert "--memory" not in parser.commands.choices["round"]._option_string_actions


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (("fleet",), "run, status"),
        (("data",), "get, list"),
        (("practice",), "start, stop"),
        (("completion",), "bash,zsh,fish"),
    ],
)
def test_a_command_without_its_choice_lists_the_choices(refuses, words, choices):
    assert choices in refuses(*words)


def test_help_is_a_command_too(exits):
    for words in (("help",), ("help", "fleet"), ("help", "fleet", "run")):
        code, printed = exits(*words)
        assert (code, printed.err) == (0, "")
        assert printed.out == exits(*words[1:], "--help")[1].out


@pytest.mark.parametrize("words", [("rounds",), ("data", "list"), ("data", "get")])
def test_a_stopped_practice_server_is_named_with_what_to_do(numerai, closed_port, words):
    ended = numerai(*words, NUMERAI_API_URL=f"http://127.0.0.1:{closed_port}/graphql")
    assert ended.returncode not in (0, 70)
    last = ended.stderr.splitlines()[-1]
    assert "`numerai-predict practice start`" in last
    assert "`unset NUMERAI_API_URL`" in last
    assert "; gave up after " in last
    assert len(ended.stderr.splitlines()) < 13
    assert ended.stderr.index("if the practice server is stopped") < ended.stderr.index("attempt 1")


@pytest.mark.parametrize("command", ["round", "submit", "upload", "status"])
def test_a_command_of_an_account_gives_up_within_seconds_there(numerai, closed_port, command):
    words = [command] if command == "status" else [command, MODEL, "--model-name", "mine"]
    keys = {"NUMERAI_PUBLIC_ID": "A" * 32, "NUMERAI_SECRET_KEY": "B" * 64}
    url = f"http://127.0.0.1:{closed_port}/graphql"
    ended = numerai(*words, "--deadline", "none", NUMERAI_API_URL=url, **keys)
    assert ended.returncode == 87, ended.stderr
    last = ended.stderr.splitlines()[-1]
    assert "nothing listens there; gave up after 5 attempts" in last
    assert "`numerai-predict practice start`" in last

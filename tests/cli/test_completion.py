"""`numerai-predict completion`: the script that it prints completes in the shell."""

import os
import shutil
import subprocess
import sys

import pytest

from numerai_predict.cli.command_table import COMMANDS
from numerai_predict.cli.main import main
from numerai_predict.cli.parsers.completion import SHELLS
from numerai_predict.contract.verdicts import ProcessExit

NAMES = {command.name for command in COMMANDS}


@pytest.fixture
def script(capsys):
    """The script for a shell."""

    def make(shell):
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return make


@pytest.fixture
def completed(script, tmp_path):
    """What bash completes after these words; the last one is being typed."""
    path = tmp_path / "completion.bash"
    path.write_text(script("bash"))

    def complete(*words):
        typed = " ".join(f"'{word}'" for word in ("numerai-predict", *words))
        program = (
            f"source {path}; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; "
            'function=$(complete -p numerai-predict | sed "s/.*-F //; s/ .*//"); '
            f"$function numerai-predict '{words[-1]}' '' 2>/dev/null; "
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        printed = subprocess.run(
            ["bash", "--norc", "-c", program],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=30,
        )
        return set(printed.stdout.split())

    return complete


pytestmark = pytest.mark.process


def test_bash_completes_commands_and_sub_commands(completed):
    assert completed("") >= NAMES
    assert completed("ro") == {"round", "rounds"}
    assert completed("data", "") >= {"get", "list", "verify", "sample"}
    assert completed("practice", "st") == {"stake", "start", "stop", "status"}


def test_bash_completes_options_in_their_current_spelling(completed):
    assert completed("run", "--me") == {"--memory"}
    assert completed("fleet", "run", "--con") == {"--concurrency"}
    assert completed("round", "m.pkl", "--mod") == {"--model-name"}
    assert "--late" not in completed("submit", "--")


def test_bash_completes_choices(completed):
    assert completed("completion", "") == set(SHELLS)
    assert completed("run", "--sandbox", "") == {"auto", "require", "off"}
    assert completed("practice", "fault", "s") == {"slow", "session"}
    assert completed("practice", "start", "--clock", "k") == {"keep"}


def test_bash_completes_pickles_and_directories(completed, tmp_path):
    for name in ("a.pkl", "b.pkl.gz", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert completed("run", "") >= {"a.pkl", "b.pkl.gz", "folder"}
    assert "c.txt" not in completed("inspect", "")
    assert completed("diagnose", "--output-dir", "") == {"folder"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_has_every_command_and_passes_the_shells_syntax_check(script, shell):
    text = script(shell)
    for name in NAMES:
        assert name in text
    if program := shutil.which(shell):
        checked = subprocess.run([program, "-n"], input=text, capture_output=True, text=True)
        assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("closes", ["stdout", "stderr", "both"])
@pytest.mark.parametrize(
    "words", [("completion", "zsh"), (), ("--help",), ("fleet", "run", "--help"), ("fleet",)]
)
def test_a_closed_output_ends_the_command_silently(words, closes):
    reading_end, writing_end = os.pipe()
    os.close(reading_end)
    program = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    streams |= dict.fromkeys(streams if closes == "both" else [closes], writing_end)
    try:
        ended = subprocess.run([sys.executable, "-c", program, *words], text=True, **streams)
    finally:
        os.close(writing_end)
    assert "Traceback" not in (ended.stderr or "")
    assert "Broken" not in (ended.stderr or "")
    # argparse itself drops what it cannot print, and ends as it does otherwise.
    if words == ("completion", "zsh") and closes != "stderr":
        assert ended.returncode == ProcessExit.OUTPUT_CLOSED.exit_code
    else:
        assert ended.returncode in (0, 2, ProcessExit.OUTPUT_CLOSED.exit_code)

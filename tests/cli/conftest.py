"""`numerai-predict` as a user types it."""

import subprocess
import sys

import pytest

from numerai_predict.cli.main import main

PROGRAM = "from numerai_predict.cli.main import main; raise SystemExit(main())"


@pytest.fixture
def numerai(clean_environment, tmp_path):
    """Runs a command in a process and a directory of its own."""

    def run(*words, before="", **variables):
        return subprocess.run(
            [sys.executable, "-c", before + PROGRAM, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=110,
            cwd=tmp_path,
            env={**clean_environment, "XDG_CACHE_HOME": str(tmp_path / "cache"), **variables},
        )

    return run


@pytest.fixture
def exits(capsys):
    """Runs a command that ends in its parser; the exit code and what it printed."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return ended.value.code, capsys.readouterr()

    return run


@pytest.fixture
def refuses(exits):
    """Runs a command that ends with 2; its last line on standard error."""

    def run(*words):
        code, printed = exits(*words)
        assert code == 2
        assert printed.out == ""
        assert printed.err.startswith("usage: ")
        assert len(printed.err.splitlines()) <= 24
        return printed.err.splitlines()[-1]

    return run

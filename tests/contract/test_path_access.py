"""A path below a directory that this user may not enter: each option says so, with its verdict."""

import argparse
import os
import tempfile
from pathlib import Path

import pytest

from numerai_predict.cli import options
from numerai_predict.cli.commands import inspect
from numerai_predict.cli.exit_codes import exit_code_of
from numerai_predict.cli.main import build_parser
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DatasetUnavailable,
    ModelUnavailable,
    RunError,
    SaveFailed,
)
from numerai_predict.contract.job import NO_FOLDERS
from numerai_predict.contract.path_access import barred_by
from numerai_predict.diagnostics.data_files import find_data_files
from numerai_predict.fleet.errors import InvalidManifest
from numerai_predict.fleet.manifest_rows import read_rows
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.container.target import choose_target
from numerai_predict.runner.fetching import fetch_data, fetch_model
from numerai_predict.runner.options import parse_job
from numerai_predict.runner.validation.submission_file import require_directory
from numerai_predict.storage.directories import NoHomeDirectory
from numerai_predict.tournament.settings import read_account_settings

BARRED = Path("home") / "barred"


def _below_temporary_directory(folder):
    """The parents of a directory that the tests made."""
    temporary = Path(tempfile.gettempdir())
    return [parent for parent in folder.parents if temporary in parent.parents]


@pytest.fixture
def barred(tmp_path_factory):
    """The directory, with a file in it, as a plain user who may not enter it."""
    root = tmp_path_factory.mktemp("barred")
    for folder in (root, *_below_temporary_directory(root)):
        folder.chmod(0o755)
    folder = root / BARRED
    folder.mkdir(parents=True)
    (folder / "file.pkl").write_bytes(b"x")
    folder.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.chmod(0o755)


ERRORS = {
    "--model": (ModelUnavailable, lambda path, out: fetch_model(str(path), Deadline(), out)),
    "--dataset": (
        DatasetUnavailable,
        lambda path, out: fetch_data(str(path), NO_FOLDERS, Deadline(), out, "live"),
    ),
    "--output-dir": (SaveFailed, lambda path, _out: require_directory(path)),
    "inspect": (
        ModelUnavailable,
        lambda path, _out: inspect.run(argparse.Namespace(pickle=str(path), json=False)),
    ),
    "diagnose": (
        DatasetUnavailable,
        lambda path, _out: find_data_files(path, None, None, None),
    ),
    "--keys-file": (RunError, lambda path, _out: read_account_settings(path)),
}


@pytest.mark.parametrize("option", ERRORS)
def test_the_error_has_the_verdict_of_the_option_and_names_user_and_folder(barred, option):
    kind, use = ERRORS[option]
    with tempfile.TemporaryDirectory() as writable, pytest.raises(kind) as failed:
        use(barred / "file.pkl", Path(writable))
    assert f"user {os.geteuid()} may not enter {barred}" in failed.value.message
    assert f"chmod a+rx {barred}" in failed.value.remedy
    assert "--user" in failed.value.remedy


def test_a_manifest_says_so_too(barred):
    with pytest.raises(InvalidManifest, match="may not enter"):
        list(read_rows(barred))
    with pytest.raises(InvalidManifest, match="may not enter"):
        list(read_rows(barred / "manifest.csv"))


def test_a_record_is_refused_as_usage(barred, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_job(["--model", "m.pkl", "--result", str(barred / "sub" / "r.json")], {})
    assert ended.value.code == 2
    assert "may not enter" in capsys.readouterr().err


def test_no_question_about_such_a_path_raises(barred, monkeypatch):
    monkeypatch.setattr(Engine, "detect", lambda _environment: Engine("docker"))
    assert "not a local file" in choose_target(str(barred / "file.pkl")).announcement
    assert barred_by(barred.parent) is None


def test_any_other_file_of_a_command_is_explained(barred, capsys):
    assert exit_code_of(lambda: (barred / "train.yaml").read_text(), "program") == 41
    assert "may not enter" in capsys.readouterr().err


def test_the_help_of_a_command_needs_no_home_directory(monkeypatch, capsys):
    def no_home():
        raise NoHomeDirectory("expected a home directory")

    monkeypatch.setattr(options, "data_directory", no_home)
    with pytest.raises(SystemExit) as ended:
        build_parser(lazy=True).parse(["diagnose", "--help"])
    assert ended.value.code == 0
    assert "--data-dir" in capsys.readouterr().out

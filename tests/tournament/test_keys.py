"""Keys come from the environment or from a private file outside of repositories."""

import os

import pytest

from numerai_predict.contract.tournament_errors import BadSettings, NotAuthorised
from numerai_predict.tournament.entities import AccountModel
from numerai_predict.tournament.settings import read_account_settings


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("NUMERAI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def file(tmp_path):
    def write(text, mode=0o600):
        path = tmp_path / "keys.env"
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


BOTH = "NUMERAI_PUBLIC_ID=PUBLICID\nexport NUMERAI_SECRET_KEY='SECRETOFTHEFILE'\n"


def test_a_private_file_is_read_and_shown_nowhere(file):
    settings = read_account_settings(file(BOTH))
    assert settings.required_keys().secret_key == "SECRETOFTHEFILE"
    assert "SECRETOFTHEFILE" not in repr(settings)
    assert "PUBLICID" not in repr(settings)


def test_the_environment_wins(file, monkeypatch):
    monkeypatch.setenv("NUMERAI_PUBLIC_ID", "OTHER")
    monkeypatch.setenv("NUMERAI_SECRET_KEY", "OTHERSECRET")
    assert read_account_settings(file(BOTH)).required_keys().public_id == "OTHER"


def test_missing_keys_are_reported_when_they_are_needed():
    with pytest.raises(NotAuthorised, match="found none") as failed:
        read_account_settings().required_keys()
    assert "NUMERAI_PUBLIC_ID" in failed.value.remedy


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY"),
        ("NUMERAI_SECRET_KEY", "NUMERAI_PUBLIC_ID"),
    ],
)
def test_one_key_alone_names_the_other(monkeypatch, given, missing):
    monkeypatch.setenv(given, "ONEALONEISNOTENOUGH")
    with pytest.raises(NotAuthorised, match=f"found {given} without {missing}") as failed:
        read_account_settings()
    assert "ONEALONE" not in f"{failed.value.message}{failed.value.remedy}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NUMERAI_PUBLIC=x\n", "NUMERAI_PUBLIC"),
        ("MIN_PRED_STD=tiny\n", "MIN_PRED_STD"),
        ("MAX_ABS_EXPOSURE=-1\n", "MAX_ABS_EXPOSURE"),
        ("MAX_ABS_EXPOSURE=abc\n", "MAX_ABS_EXPOSURE"),
        ("MAX_ABS_EXPOSURE=0.3,my_model=\n", "MAX_ABS_EXPOSURE"),
        ("NUMERAI_API_URL=ftp://x\n", "NUMERAI_API_URL"),
    ],
)
def test_an_unknown_or_senseless_setting_is_an_error_that_shows_no_value(file, text, words):
    path = file(text + "NUMERAI_SECRET_KEY=SECRETBESIDEIT\n")
    with pytest.raises(BadSettings, match=words) as failed:
        read_account_settings(path)
    assert failed.value.verdict.exit_code == 90
    assert "SECRETBESIDEIT" not in str(failed.value)
    assert "tiny" not in str(failed.value)


def test_a_file_that_others_can_read_is_refused(file):
    with pytest.raises(NotAuthorised, match="open to others") as failed:
        read_account_settings(file(BOTH, 0o644))
    assert "chmod 600" in failed.value.remedy


def test_a_file_in_a_repository_is_refused(file, tmp_path):
    (tmp_path / ".git").mkdir()
    with pytest.raises(NotAuthorised, match="outside of repositories"):
        read_account_settings(file(BOTH))


def test_a_file_that_was_named_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMERAI_KEYS_FILE", str(tmp_path / "none.env"))
    with pytest.raises(NotAuthorised, match="found none"):
        read_account_settings()


def test_an_invalid_session_is_explained_by_the_key(practice):
    tournament = practice.tournament(NUMERAI_SECRET_KEY="WRONGSECRET")
    with pytest.raises(NotAuthorised, match="valid API key") as failed:
        tournament.models()
    assert "NUMERAI_SECRET_KEY" in failed.value.remedy


def test_an_invalid_session_is_explained_by_the_scope(practice, tmp_path):
    tournament = practice.tournament(**practice.key("read_user_info"))
    model = tournament.model("practice_one")
    with pytest.raises(NotAuthorised, match="scope upload_submission, found one with read_user"):
        tournament.request_upload(tmp_path / "x.csv", model)


def test_an_invalid_session_is_explained_by_the_model_id(practice, tmp_path):
    tournament = practice.tournament()
    other = AccountModel("00000000-0000-0000-0000-000000000000", "other")
    with pytest.raises(NotAuthorised, match="id of one of the account's models"):
        tournament.request_upload(tmp_path / "x.csv", other)


def test_an_expired_session_of_a_good_key_is_an_error_of_the_tournament(practice):
    practice.fault("session", contains="account")
    with pytest.raises(NotAuthorised, match="the key is known") as failed:
        practice.tournament().models()
    assert "try again later" in failed.value.remedy


def test_a_session_that_expires_once_is_retried(practice):
    practice.fault("session", count=1)
    assert practice.tournament().models()

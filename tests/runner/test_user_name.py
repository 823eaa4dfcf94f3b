"""The model's user has a name, whatever user id the container runs as."""

import os
import pwd

import pytest

from numerai_predict.runner.child import user_name

UNKNOWN = 3_999_999_999


@pytest.fixture
def unknown_user(monkeypatch):
    """A process of a user id that no list of users has."""
    monkeypatch.setattr(os, "getuid", lambda: UNKNOWN)
    monkeypatch.setattr(pwd, "getpwuid", pwd.getpwuid)
    monkeypatch.setattr(os, "getlogin", os.getlogin)
    monkeypatch.setenv("USER", "model")
    monkeypatch.setenv("LOGNAME", "model")
    user_name.name_own_user()


def test_an_unknown_user_has_an_entry(unknown_user, monkeypatch):
    monkeypatch.setenv("HOME", "/scratch")
    entry = pwd.getpwuid(UNKNOWN)
    assert (entry.pw_name, entry.pw_uid, entry.pw_dir) == ("model", UNKNOWN, "/scratch")


def test_another_unknown_user_has_none(unknown_user):
    with pytest.raises(KeyError):
        pwd.getpwuid(UNKNOWN - 1)


def test_a_known_user_keeps_its_entry(unknown_user):
    assert pwd.getpwuid(0).pw_dir == "/root"


def test_a_process_without_a_login_has_the_name_of_the_variable(monkeypatch):
    def no_login():
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(os, "getlogin", no_login)
    monkeypatch.setattr(pwd, "getpwuid", pwd.getpwuid)
    monkeypatch.setenv("LOGNAME", "model")
    user_name.name_own_user()
    assert os.getlogin() == "model"


def test_a_model_finds_the_name_of_its_user(run_model):
    def predict(live_features):
        import getpass
        import os
        import pathlib
        import pwd

        assert os.getlogin()
        print(getpass.getuser(), pwd.getpwuid(os.getuid()).pw_uid == os.getuid())
        print(pathlib.Path("~").expanduser() == pathlib.Path(os.environ["HOME"]))
        values = live_features["feature_sample_0000"].rank(pct=True)
        return values.to_frame("prediction")

    run = run_model(predict)
    run.succeeds()
    assert run.model_lines == ["model True", "True"]

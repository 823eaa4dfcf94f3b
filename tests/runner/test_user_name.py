"""The model's user has a name, whatever user id the container runs as."""

import grp
import os
import pwd

import pytest

from numerai_predict.runner.child import user_name

UNKNOWN = 3_999_999_999
LOOKUPS = ((pwd, "getpwuid"), (pwd, "getpwnam"), (grp, "getgrgid"), (os, "getlogin"))


@pytest.fixture
def unknown_user(monkeypatch):
    """A process of a user id that no list of users has."""
    monkeypatch.setattr(os, "getuid", lambda: UNKNOWN)
    monkeypatch.setattr(os, "getgid", lambda: UNKNOWN)
    for module, name in LOOKUPS:
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setenv("USER", "model")
    monkeypatch.setenv("LOGNAME", "model")
    user_name.name_own_user()


def test_an_unknown_user_has_an_entry(unknown_user, monkeypatch):
    monkeypatch.setenv("HOME", "/scratch")
    entry = pwd.getpwuid(UNKNOWN)
    assert (entry.pw_name, entry.pw_uid, entry.pw_dir) == ("model", UNKNOWN, "/scratch")


def test_its_name_and_its_group_have_one_too(unknown_user):
    assert pwd.getpwnam("model").pw_uid == UNKNOWN
    assert grp.getgrgid(UNKNOWN).gr_name == "model"


def test_another_unknown_user_has_none(unknown_user):
    for lookup, key in ((pwd.getpwuid, UNKNOWN - 1), (grp.getgrgid, UNKNOWN - 1)):
        with pytest.raises(KeyError):
            lookup(key)
    with pytest.raises(KeyError):
        pwd.getpwnam("unknown-name")


def test_a_known_user_keeps_its_entry(unknown_user):
    assert pwd.getpwuid(0).pw_dir == "/root"


def test_a_process_without_a_login_has_the_name_of_the_variable(monkeypatch):
    def no_login():
        raise OSError(25, "Inappropriate ioctl for device")

    for module, name in LOOKUPS:
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(os, "getlogin", no_login)
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

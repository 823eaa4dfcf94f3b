"""`numerai-predict upload`: a pickle becomes a hosted model, or the reason is said."""

import platform

import pytest

PYTHON = ".".join(platform.python_version_tuple()[:2])


def fails(live_features):
    raise ValueError("this model always fails")


def needs_an_unknown_module(live_features):
    import nowhere_to_be_found

    return nowhere_to_be_found.predict(live_features)


def test_a_pickle_is_uploaded_for_the_python_that_made_it_and_validated(practice, numerai, pickled):
    name = practice.model()
    ended = numerai("upload", pickled(), "--model-name", name)
    assert ended.code == 0, ended.log
    assert "validated as hosted model" in ended.verdict
    assert "verdict  ok" in ended.out
    row = practice.store.row("SELECT * FROM pickles WHERE model = ?", practice.models[name])
    assert (row["image"], row["version"]) == (f"Python {PYTHON}", "v5.2")


def test_a_model_that_fails_its_validation_is_reported_with_its_log(practice, numerai, pickled):
    ended = numerai("upload", pickled(fails), "--model-name", practice.model())
    assert ended.code == 86
    assert "this model always fails" in ended.out


def test_what_fails_its_inspection_is_not_uploaded_unless_forced(practice, numerai, tmp_path):
    name, path = practice.model(), tmp_path / "broken.pkl"
    path.write_bytes(b"\x80\x05no pickle at all")
    ended = numerai("upload", path, "--model-name", name)
    assert ended.code == 86
    assert "--ignore-inspection" in ended.verdict
    find = ("SELECT * FROM tickets WHERE model = ?", practice.models[name])
    assert practice.store.rows(*find) == []
    forced = numerai("upload", path, "--model-name", name, "--ignore-inspection")
    assert forced.code == 86
    assert len(practice.store.rows(*find)) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--python", "2.7"), "Python 3.12"),
        (("--data-version", "v1"), "v5.2, v5.3"),
        (("--model-name", "unknown"), "practice_one"),
    ],
)
def test_what_the_tournament_does_not_have_is_listed(practice, numerai, pickled, options, words):
    ended = numerai("upload", pickled(), "--model-name", "practice_one", *options)
    assert ended.code in (83, 86)
    assert words in ended.verdict


def test_a_missing_file_is_reported(practice, numerai, tmp_path):
    ended = numerai("upload", tmp_path / "none.pkl", "--model-name", "practice_one")
    assert ended.code == 10

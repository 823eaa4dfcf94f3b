"""The options of `numerai-predict diagnose`, and what is wrong before any model runs."""

import pytest

from numerai_predict.cli.main import main


def test_help_names_the_files_and_their_places(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["diagnose", "--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "usage: numerai-predict diagnose" in said
    words = ("--validation", "validation.parquet", "--eras", "--memory", "--no-container")
    words = ("--validation", "validation.parquet", "--eras", "--memory", "--no-container")
    for word in (*words, "--fnc-features"):
        assert word in said


@pytest.mark.parametrize("words", [[], ["--model"], ["--model", "x", "--memory", "much"]])
def test_bad_options_end_with_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["diagnose", *words])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--validation", "gone"], 15, "expected a file at gone"),
        (["--eras", "soon"], 15, "expected eras, found 'soon'"),
        (["--eras", "0900-"], 15, "found 0009 to 0012"),
        (["--target", "target_x"], 15, "found no such column; available: target,"),
        (["--fnc-features", "huge"], 15, "expected a feature set, found 'huge'"),
        (["--benchmark-model", "unknown"], 15, "v52_lgbm_ender20"),
        (["--output-dir", "gone"], 41, "expected the output directory"),
        (["--model", "gone.pkl"], 10, "gone.pkl"),
    ],
)
def test_a_missing_input_is_reported_with_what_to_do(
    words, code, said, capfd, sample, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    given = ["--model", "model.pkl", "--validation", str(sample), *words]
    assert main(["diagnose", *given]) == code
    last = capfd.readouterr().err.splitlines()[-1]
    assert said in last
    assert " -> " in last
    assert list(tmp_path.iterdir()) == []

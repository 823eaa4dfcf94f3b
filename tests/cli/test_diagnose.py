"""The options of `numerai-predict diagnose`, and what is wrong before any model runs."""

import pytest
from bundles import write_bundle

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
        (["--output-dir", "/proc"], 41, "which is of the system (/proc)"),
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


@pytest.mark.parametrize(
    "option", ["--validation", "--features-file", "--benchmarks", "--meta-model"]
)
def test_a_data_set_by_name_is_that_of_the_snapshots(option, capfd, sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v5.2").mkdir()
    (tmp_path / "v5.2/validation.parquet").write_bytes(b"of an earlier day")
    words = ["--validation", str(sample), "--data-dir", "store", option, "v5.2/validation.parquet"]
    assert main(["diagnose", "--model", "model.pkl", *words]) == 15
    *_, warning, last = capfd.readouterr().err.splitlines()
    assert "for the file write ./v5.2/validation.parquet" in warning
    assert "expected a file at store/v5.2/validation.parquet" in last


@pytest.mark.parametrize(
    ("model", "data", "code", "found"),
    [
        ({"sha256": "0" * 64}, {}, 10, "expected the pickle of its manifest"),
        ({}, {}, 15, "version v5.3 in place of v5.2"),
        ({"python": "2.7"}, {"version": "v5.3"}, 12, "expected Python 2.7"),
        ({}, {"features": {"names": ["feature_x"]}, "version": "v5.3"}, 15, "1 of 1 features"),
    ],
)
def test_a_bundle_is_compared_with_its_manifest(
    model, data, code, found, capfd, sample, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v5.3").symlink_to(sample)
    (tmp_path / "model.pkl").write_bytes(b"not read")
    write_bundle(tmp_path / "model.pkl", model, data)
    words = ["--validation", "v5.3", "--no-container"]
    assert main(["diagnose", "--model", "model.pkl", *words]) == code
    assert found in capfd.readouterr().err.splitlines()[-1]

"""`numerai-predict data`: snapshots and samples."""

import json

import pytest

from numerai_predict.cli.commands.dataset import _default_files
from numerai_predict.cli.main import main
from numerai_predict.cli.parsers.dataset import DEFAULT_FILES
from numerai_predict.data.catalogue import resolve
from numerai_predict.data.sample_shape import FILES

SHAPE = ("--live-rows", "5", "--rows", "5", "--train-eras", "1", "--validation-eras", "1")


def test_data_sample_writes_a_sample(tmp_path, capsys):
    assert main(["data", "sample", str(tmp_path / "s"), *SHAPE, "--feature-count", "42"]) == 0
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == sorted(FILES)
    assert str(tmp_path / "s") in capsys.readouterr().out


def test_data_sample_refuses_a_shape_that_cannot_be(tmp_path, refuses):
    said = refuses("data", "sample", tmp_path / "s", "--feature-count", "3")
    assert "expected at least 42 features, found 3" in said
    assert list(tmp_path.iterdir()) == []


def test_data_sample_does_not_replace_somebody_elses_files(tmp_path, capfd):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["data", "sample", str(tmp_path), *SHAPE]) == 41
    said = capfd.readouterr().err
    assert "thesis.txt" in said
    assert "choose another directory" in said


def test_data_verify_prints_json_alone_on_standard_output(tmp_path, capfd):
    assert main(["data", "verify", "--json", "--data-dir", str(tmp_path)]) == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out) == []
    assert "0 file(s) match the manifest" in printed.err


def test_data_list_is_empty_where_nothing_was_fetched(tmp_path, capfd):
    assert main(["data", "list", "--offline", "--data-dir", str(tmp_path)]) == 0
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "0 file(s)" in printed.err


def test_data_list_prints_json(tmp_path, capfd):
    facts = {"sha256": "ab", "bytes": 3, "changed": 1, "etag": None, "round": 9, "fetched": "t"}
    manifest = {"form": 1, "files": {"v5.2/live.parquet": facts}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    words = ["data", "list", "--offline", "--json", "--data-dir", str(tmp_path)]
    assert main(words) == 0
    server = "https://api-tournament.numer.ai"
    local = {"sha256": "ab", "bytes": 3, "round": 9, "fetched": "t", "server": server}
    assert json.loads(capfd.readouterr().out) == [{"name": "v5.2/live.parquet", "local": local}]


def test_data_list_names_the_versions_that_there_are(tmp_path, capfd):
    words = ["data", "list", "--offline", "--data-version", "v9", "--data-dir", str(tmp_path)]
    assert main(words) == 15
    assert "expected a version of the data, found 'v9'" in capfd.readouterr().err


def test_the_default_files_are_all_that_training_and_its_scores_read():
    assert sorted(DEFAULT_FILES) == sorted(name.partition(".")[0] for name in FILES)


def test_files_to_compare_with_that_a_version_lacks_are_left_out(capfd):
    names = ["train.parquet", "validation.parquet", "live.parquet", "features.json"]
    known = [f"v4/{name}" for name in [*names, "meta_model.parquet"]]
    chosen = _default_files("v4", known)
    assert resolve(chosen, "v4", known) == [f"v4/{n}" for n in (
        "features.json", "train.parquet", "validation.parquet", "live.parquet", "meta_model.parquet"
    )]  # fmt: skip
    lacking = "train_benchmark_models, validation_benchmark_models, live_benchmark_models"
    assert f"v4 has no {lacking}: left out" in capfd.readouterr().err


@pytest.mark.parametrize("name", DEFAULT_FILES)
def test_help_names_the_files_that_are_fetched_by_default(exits, name):
    _, printed = exits("data", "get", "--help")
    assert name in printed.out

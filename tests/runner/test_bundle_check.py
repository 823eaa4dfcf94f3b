"""A bundle is compared with its manifest: its pickle, its Python, its features and its data."""

import json

import pytest
from bundles import write_bundle

from numerai_predict.contract.errors import DatasetUnavailable, ModelUnavailable, PythonMismatch
from numerai_predict.runner.bundle_check import check_features, check_pickle, check_python
from numerai_predict.runner.bundle_data import ModelInput, check_data
from numerai_predict.runner.options import parse_job
from numerai_predict.storage.files import sha256_of

NAMES = ["feature_sample_0000", "feature_sample_0001"]


def predict(live_features):
    return live_features[["feature_sample_0000"]].rank(pct=True)


@pytest.fixture
def bundle(pickle_model):
    """A pickle with a manifest."""

    def make(model=(), data=(), **changes):
        return write_bundle(pickle_model(predict), model, data, **changes)

    return make


def manifest_of(path):
    return check_pickle(str(path), sha256_of(path))


def test_the_pickle_of_its_manifest_is_accepted_and_a_pickle_without_one_too(bundle, tmp_path):
    path = bundle()
    assert manifest_of(path).data_version == "v5.2"
    (tmp_path / "manifest.json").unlink()
    assert manifest_of(path) is None
    assert check_pickle("https://host/model.pkl", "0" * 64) is None


def test_a_swapped_pickle_is_refused_with_both_hashes(bundle):
    path = bundle()
    before = sha256_of(path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelUnavailable, match="other bytes") as refused:
        manifest_of(path)
    assert before[:12] in refused.value.message
    assert sha256_of(path)[:12] in refused.value.message


def test_a_link_to_a_bundle_and_a_bundle_of_a_link_are_compared(bundle, tmp_path):
    path, link = bundle(), tmp_path / "links" / "model.pkl"
    link.parent.mkdir()
    link.symlink_to(path)
    assert manifest_of(link) is not None
    other = tmp_path / "other.pkl"
    other.write_bytes(b"another pickle")
    path.unlink()
    path.symlink_to(other)
    with pytest.raises(ModelUnavailable, match="other bytes"):
        manifest_of(path)


def test_a_manifest_that_cannot_be_read_is_an_error_with_a_remedy(bundle, tmp_path):
    path = bundle()
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ModelUnavailable, match="expected the manifest of a bundle") as refused:
        manifest_of(path)
    assert "move manifest.json away" in refused.value.remedy


def test_a_bundle_runs_on_the_python_that_it_is_for(bundle):
    manifest = manifest_of(bundle({"python": "3.10"}))
    check_python(manifest, "3.10")
    check_python(None, "3.13")
    with pytest.raises(PythonMismatch, match=r"expected Python 3\.10.*found 3\.13") as refused:
        check_python(manifest, "3.13")
    assert "image of Python 3.10" in refused.value.remedy


def test_features_that_the_manifest_does_not_list_show_that_it_was_changed(bundle):
    manifest = manifest_of(bundle(data={"features": {"names": NAMES}}))
    check_features(manifest, NAMES)
    with pytest.raises(ModelUnavailable, match="1 others, such as feature_other"):
        check_features(manifest, [*NAMES, "feature_other"])
    check_features(manifest_of(bundle()), ["feature_other"])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (ModelInput("v5.1/live.parquet"), "version v5.1 in place of v5.2"),
        (ModelInput("/store/v5.3/live.parquet"), "version v5.3 in place of v5.2"),
        (ModelInput("s3://b/v6/live.parquet"), "version v6 in place of v5.2"),
        (ModelInput("live.parquet", {NAMES[0]}), f"1 of 2 features missing, such as {NAMES[1]}"),
        (ModelInput("", server="http://127.0.0.1:8"), "data of http://127.0.0.1:8 in place of"),
    ],
)
def test_data_of_another_kind_than_the_training_are_refused_or_allowed_with_a_warning(
    bundle, data, found
):
    facts = {"features": {"names": NAMES}, "server": "https://api-tournament.numer.ai"}
    manifest = manifest_of(bundle(data=facts))
    with pytest.raises(DatasetUnavailable, match=found) as refused:
        check_data(manifest, data)
    assert "--allow-version-mismatch" in refused.value.remedy
    allowed = ModelInput(data.source, data.columns, data.server, allow_mismatch=True)
    (warning,) = check_data(manifest, allowed)
    assert found in warning


@pytest.mark.parametrize(
    "data",
    [
        ModelInput("v5.2/live.parquet", set(NAMES), "http://localhost:1"),
        ModelInput("/tmp/live.parquet", {*NAMES, "era"}),
        ModelInput(""),
    ],
)
def test_the_same_or_unknown_data_are_accepted(bundle, data):
    facts = {"features": {"names": NAMES}, "server": "http://127.0.0.1:8125"}
    assert check_data(manifest_of(bundle(data=facts)), data) == []
    assert check_data(None, data) == []


def test_a_swapped_pickle_does_not_run(run_model, bundle):
    path = bundle()
    content = json.loads((path.parent / "manifest.json").read_text())
    content["model"]["sha256"] = "0" * 64
    (path.parent / "manifest.json").write_text(json.dumps(content))
    run_model(path).fails_as("model_unavailable", "expected the pickle of its manifest")
    checked = run_model(path, "--check")
    assert (checked.exit_code, checked.record["verdict"]) == (10, "model_unavailable")


def test_a_model_of_another_data_version_runs_only_where_that_is_allowed(
    run_model, bundle, sample, tmp_path
):
    (tmp_path / "v5.3").symlink_to(sample)
    path, live = bundle(), tmp_path / "v5.3/live.parquet"
    run = run_model(path, "--dataset", live)
    run.fails_as("dataset_unavailable", "version v5.3 in place of v5.2", "--allow-version-mismatch")
    allowed = run_model(path, "--dataset", live, "--allow-version-mismatch")
    allowed.succeeds()
    assert any("version v5.3 in place of v5.2" in each for each in allowed.record["warnings"])


@pytest.mark.parametrize(
    ("value", "allowed"), [("true", True), ("1", True), ("YES", True), ("0", False), ("", False)]
)
def test_the_variable_of_the_seed_allows_it_too(monkeypatch, value, allowed):
    monkeypatch.setenv("ALLOW_DATASET_VERSION_MISMATCH", value)
    assert parse_job(["--model", "m.pkl"], {}).allow_version_mismatch is allowed


def test_a_variable_that_is_neither_true_nor_false_is_an_error_of_usage(monkeypatch, capsys):
    monkeypatch.setenv("ALLOW_DATASET_VERSION_MISMATCH", "perhaps")
    with pytest.raises(SystemExit) as ended:
        parse_job(["--model", "m.pkl"], {})
    assert ended.value.code == 2
    assert "ALLOW_DATASET_VERSION_MISMATCH: expected true or false" in capsys.readouterr().err

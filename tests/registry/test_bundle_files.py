"""What a registry takes of a bundle, which is untrusted."""

import json
import pickle

import pytest

from numerai_predict.registry.bundle_files import bundle_files, find_pickle
from numerai_predict.storage.files import sha256_of

pytestmark = pytest.mark.unit


@pytest.fixture
def bundle(tmp_path):
    """Makes a bundle whose manifest has these fields too."""

    def make(**fields):
        path = tmp_path / "bundle/model.pkl"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(print))
        model = {"file": "model.pkl", "sha256": sha256_of(path)}
        (path.parent / "manifest.json").write_text(json.dumps({"model": model, **fields}))
        return find_pickle(path.parent)

    return make


def test_the_files_of_training_and_diagnosis_are_taken(bundle):
    path = bundle()
    for name in ("scores.json", "diagnose.html", "other.txt"):
        (path.parent / name).write_text("{}")
    files, _ = bundle_files(path)
    assert sorted(files) == ["diagnose.html", "manifest.json", "model.pkl", "scores.json"]


def test_a_link_in_a_bundle_adds_no_file_of_the_user(bundle, tmp_path):
    path = bundle()
    (tmp_path / "id_rsa").write_text("a private key")
    for name in ("scores.json", "predictions.parquet", "diagnose.html", "diagnose.json"):
        (path.parent / name).symlink_to(tmp_path / "id_rsa")
    files, _ = bundle_files(path)
    assert sorted(files) == ["manifest.json", "model.pkl"]


@pytest.mark.parametrize(
    "scores",
    [None, [], "x", {"windows": []}, {"windows": {"corr": 7}}]
    + [{"windows": {"corr": {"mean": mean}}} for mean in ("x", None, True, 10**400, 1e999, [])],
)
def test_scores_of_a_manifest_that_are_none_are_no_facts(bundle, scores):
    _, facts = bundle_files(bundle(scores=scores))
    assert facts["scores"] == {}

"""Eras that a model was trained on are reported if the manifest in its directory names them."""

import hashlib
import json

import pytest

from numerai_predict.contract.trained_eras import TrainedEras, scored_model
from numerai_predict.diagnostics.training_overlap import (
    EraKind,
    describe_overlap,
    kind_of,
    manifest_beside,
)

KNOWN = TrainedEras(first=1, last=3, clear_from=5)


def read_trained_eras(model, sha256):
    return TrainedEras.from_manifest(manifest_beside(model), sha256)


@pytest.fixture
def bundle(tmp_path):
    """A pickle, and in its directory a manifest with the given changes."""

    def make(body=b"pickle", text=None, **changes):
        facts = {"model": {"sha256": hashlib.sha256(b"pickle").hexdigest()}, **KNOWN.as_entry()}
        (tmp_path / "manifest.json").write_text(text or json.dumps({**facts, **changes}))
        (tmp_path / "model.pkl").write_bytes(body)
        return str(tmp_path / "model.pkl"), hashlib.sha256(body).hexdigest()

    return make


def test_the_manifest_in_the_directory_of_a_pickle_is_used(bundle):
    assert read_trained_eras(*bundle()) == KNOWN


def test_a_manifest_of_another_pickle_is_ignored(bundle):
    assert read_trained_eras(*bundle(body=b"another")) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", "[" * 100_000, '{"model": 1}', '{"model": {"sha256": 1}}']
)
def test_files_that_are_not_our_manifest_are_ignored(bundle, text):
    assert read_trained_eras(*bundle(text=text or " ")) is None


@pytest.mark.parametrize("trained_on", [None, 7, {}, {"first": 1, "last": "3", "clear_from": 5}])
def test_a_manifest_without_eras_is_ignored(bundle, trained_on):
    assert read_trained_eras(*bundle(trained_on=trained_on)) is None


def test_a_pickle_without_a_manifest_or_from_a_url_has_no_trained_eras(tmp_path):
    assert read_trained_eras(str(tmp_path / "model.pkl"), "0" * 64) is None
    assert read_trained_eras("https://host/model.pkl", "0" * 64) is None


def test_overlapping_eras_are_counted_and_a_remedy_is_named():
    note = describe_overlap(KNOWN, ["0003", "0004", "0005", "0006"])
    assert "2 of 4 eras are inflated and not part of the summary" in note
    assert "the model was trained on eras 0001 to 0003" in note
    assert "From era 0005 on the targets do not overlap" in note


def test_a_target_that_looks_further_ahead_overlaps_with_more_eras():
    """A model of 20-day targets, scored on one of 60 days."""
    trained = TrainedEras(first=20, last=40, clear_from=45)
    assert trained.clear_of(4) == trained
    further = trained.clear_of(12)
    assert further.clear_from == 52
    assert kind_of("0051", further) is EraKind.OVERLAPPING
    assert kind_of("0052", further) is EraKind.CLEAN
    assert kind_of("0009", further) is EraKind.OVERLAPPING
    assert kind_of("0008", further) is EraKind.CLEAN


def test_eras_are_trained_overlapping_or_clean_on_both_sides():
    trained = TrainedEras(first=10, last=12, clear_from=15)
    kinds = [kind_of(f"{era:04d}", trained).value for era in range(7, 16)]
    assert kinds == [
        "clean",
        *["overlapping"] * 2,
        *["trained"] * 3,
        *["overlapping"] * 2,
        "clean",
    ]
    assert kind_of("0001", None) is EraKind.UNKNOWN
    assert kind_of("X", trained) is EraKind.UNKNOWN


def test_later_eras_are_reported_without_overlap():
    assert "no target of the eras in this report overlaps" in describe_overlap(
        KNOWN, ["0005", "0006"]
    )


def test_the_log_and_the_page_contain_the_note(diagnose, pickle_model, tmp_path):
    path = pickle_model(lambda live: live.filter(like="feature_").iloc[:, :3].mean(axis=1)
                        .rank(pct=True).to_frame("prediction"))  # fmt: skip
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = {"model": {"sha256": sha256}, **TrainedEras(1, 3, 4).as_entry()}
    (path.parent / "manifest.json").write_text(json.dumps(facts))
    done = diagnose(path).succeeds()
    (first, *_) = done.numbers["notes"]
    assert "trained on eras 0001 to 0003" in first
    assert first in done.stderr
    kinds = [era["training"] for era in done.numbers["eras"]]
    clean = [era["corr"] for era in done.numbers["eras"] if era["training"] == "clean"]
    # The manifest says too little: targets of 20 days overlap with 4 eras.
    assert kinds == ["trained", "overlapping", "overlapping", "overlapping", "clean"]
    assert done.numbers["summary"]["corr"]["eras"] == kinds.count("clean")
    assert done.numbers["summary"]["corr"]["mean"] == pytest.approx(sum(clean) / len(clean))
    assert done.numbers["summary_of_trained_eras"]["corr"]["eras"] == 4


def test_a_bundle_and_its_training_are_one_model_in_the_record_of_looks(bundle):
    holdout = {"is_bundled": True, "scored_model": "the trained models"}
    model, sha256 = bundle(holdout=holdout)
    assert scored_model(manifest_beside(model), sha256) == "the trained models"


@pytest.mark.parametrize(
    "changes",
    [
        {"holdout": {"is_bundled": False, "scored_model": "trained without the holdout"}},
        {"holdout": {"scored_model": "of an unknown form"}},
        {"holdout": [1]},
        {"holdout": None},
        {"body": b"another", "holdout": {"is_bundled": True, "scored_model": "of another pickle"}},
    ],
)
def test_other_models_are_identified_by_their_pickle(bundle, changes):
    model, sha256 = bundle(**changes)
    assert scored_model(manifest_beside(model), sha256) == sha256
    assert scored_model(None, sha256) == sha256

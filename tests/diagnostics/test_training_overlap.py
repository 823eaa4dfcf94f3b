"""Eras that a model was trained on are told, where the manifest beside its pickle names them."""

import hashlib
import json

import pytest

from numerai_predict.contract.trained_eras import TrainedEras
from numerai_predict.diagnostics.training_overlap import describe_overlap, read_trained_eras

KNOWN = TrainedEras(first=1, last=3, clear_from=5)


@pytest.fixture
def bundle(tmp_path):
    """A pickle, and beside it a manifest that was changed as told."""

    def make(body=b"pickle", text=None, **changes):
        facts = {"model": {"sha256": hashlib.sha256(b"pickle").hexdigest()}, **KNOWN.facts()}
        (tmp_path / "manifest.json").write_text(text or json.dumps({**facts, **changes}))
        (tmp_path / "model.pkl").write_bytes(body)
        return str(tmp_path / "model.pkl"), hashlib.sha256(body).hexdigest()

    return make


def test_the_manifest_beside_a_pickle_is_believed(bundle):
    assert read_trained_eras(*bundle()) == KNOWN


def test_one_of_another_pickle_is_not(bundle):
    assert read_trained_eras(*bundle(body=b"another")) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", "[" * 100_000, '{"model": 1}', '{"model": {"sha256": 1}}']
)
def test_what_is_no_manifest_of_ours_is_passed_over(bundle, text):
    assert read_trained_eras(*bundle(text=text or " ")) is None


@pytest.mark.parametrize("told", [None, 7, {}, {"first": 1, "last": "3", "clear_from": 5}])
def test_so_is_one_that_tells_no_eras(bundle, told):
    assert read_trained_eras(*bundle(trained_on=told)) is None


def test_a_pickle_without_a_manifest_or_from_elsewhere_tells_nothing(tmp_path):
    assert read_trained_eras(str(tmp_path / "model.pkl"), "0" * 64) is None
    assert read_trained_eras("https://host/model.pkl", "0" * 64) is None


def test_eras_that_flatter_are_counted_and_the_remedy_named():
    words = describe_overlap(KNOWN, ["0003", "0004", "0005", "0006"])
    assert "2 of 4 eras flatter the model, which was trained on eras 0001 to 0003" in words
    assert "--eras 0005-" in words


def test_eras_past_them_are_told_to_be_clear():
    assert "all eras here are past their targets" in describe_overlap(KNOWN, ["0005", "0006"])


def test_the_log_and_the_page_say_it(diagnose, pickle_model, tmp_path):
    path = pickle_model(lambda live: live.filter(like="feature_").iloc[:, :3].mean(axis=1)
                        .rank(pct=True).to_frame("prediction"))  # fmt: skip
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = {"model": {"sha256": sha256}, **TrainedEras(1, 3, 4).facts()}
    (path.parent / "manifest.json").write_text(json.dumps(facts))
    done = diagnose(path).succeeds()
    (first, *_) = done.numbers["notes"]
    assert "trained on eras 0001 to 0003" in first
    assert first in done.stderr

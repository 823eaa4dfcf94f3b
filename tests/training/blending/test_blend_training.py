"""Trainings with a transform: mistakes before any work, the bundle, resumption."""

import html
import json
import pickle
import shutil

import pandas as pd
import pytest

VALIDATION = {"windows": 2, "window_eras": 8, "stopping_eras": 4, "holdout_eras": 8}
FAST = {"seeds": [42], "rounds": 20, "validation": VALIDATION}
SEARCH = {
    "search": True,
    "neutralize_to": ["benchmark", "riskiest:3"],
    "shares": [1.0],
    "benchmark_weights": [0.0, 0.3],
    "scales": ["rank"],
}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("blend", "fragment"),
    [
        ({"serach": True}, "blend.serach: expected a known key"),
        ({"serach": True}, "did you mean search?"),
        ({"transform": {"part": 1}}, "blend.transform.part: expected a known key"),
        ({"payout_corr": 0, "payout_mmc": 0}, "blend: expected payout_corr or payout_mmc above 0"),
        ({"shares": [1.5]}, "blend.shares.0: input should be less than or equal to 1, found 1.5"),
        ({"shares": []}, "blend.shares"),
        ({"shares": [0.5, 0.5]}, "blend: expected each of `shares` once"),
        ({"benchmark_weights": [1.0]}, "blend.benchmark_weights.0: input should be less than 1"),
        ({"transform": {"share": -0.1}}, "blend.transform.share"),
        ({"transform": {"share": True}}, "blend.transform.share: expected a number, found yes"),
        ({"transform": {"benchmark_weight": 1}}, "blend.transform.benchmark_weight"),
        ({"scales": ["normal"]}, "blend.scales.0"),
        ({"neutralize_to": ["riskiest"]}, "blend.neutralize_to: expected a number of features"),
        ({"neutralize_to": ["riskiest:0"]}, "found 'riskiest:0'"),
        ({"payout_factor": 0}, "blend.payout_factor"),
        ({"search": True, "transform": {"share": 0.5}}, "a `transform`, found both"),
        (
            {"transform": {"share": 0.5, "benchmark_weight": 0.5}},
            "blend.transform: expected a benchmark to blend with or to neutralize to, found both",
        ),
        (
            {"search": True, "shares": [each / 100 for each in range(100)]},
            "blend: expected at most 200 candidates",
        ),
    ],
)
def test_mistakes_of_the_section_name_the_key(training, blend, fragment):
    ended = training(blend=blend).fails()
    assert fragment in ended.text
    assert "bad_configuration" in ended.last


@pytest.mark.unit
@pytest.mark.parametrize(
    ("blend", "fragment"),
    [
        (
            {"search": True, "neutralize_to": ["smal"]},
            "a feature set for blend.neutralize_to, found 'smal'; there are small",
        ),
        (
            {"transform": {"share": 1, "neutralize_to": "smal"}},
            "for blend.transform.neutralize_to, found 'smal'",
        ),
        (
            {"transform": {"share": 1, "neutralize_to": ["feature_absent"]}},
            "for blend.transform.neutralize_to, found 1 of 1 missing, such as feature_absent",
        ),
    ],
)
def test_features_that_do_not_exist_are_refused_before_any_work(training, blend, fragment):
    mistaken = training(blend=blend)
    assert fragment in mistaken.fails_as("bad_configuration", fragment).text
    assert not list(mistaken.output.glob("checkpoints/*.checkpoint"))


@pytest.fixture
def bare(data, tmp_path):
    """The sample data without any benchmark or meta model."""
    folder = tmp_path / "bare"
    shutil.copytree(data, folder)
    for path in [*folder.glob("*_benchmark_models.parquet"), folder / "meta_model.parquet"]:
        path.unlink()
    return folder


@pytest.mark.unit
@pytest.mark.parametrize(
    ("blend", "fragment"),
    [
        ({"search": True}, "for blend.neutralize_to and blend.benchmark_weights, found no file"),
        ({"transform": {"share": 0.5}}, "for blend.transform.neutralize_to, found no file"),
        ({"transform": {"benchmark_weight": 0.5}}, "for blend.transform.benchmark_weight, found"),
        (
            {"search": True, "neutralize_to": ["small"], "benchmark_weights": [0.0]},
            "set blend.payout_mmc: 0",
        ),
    ],
)
def test_files_that_are_missing_are_named_before_any_work(training, bare, blend, fragment):
    mistaken = training(folder=bare, blend=blend)
    mistaken.fails_as("bad_configuration", fragment)
    assert not list(mistaken.output.glob("checkpoints/*.checkpoint"))


@pytest.mark.process
@pytest.mark.parametrize(
    ("transform", "arity"),
    [
        ({"share": 0.5}, 2),
        ({"share": 1.0, "neutralize_to": "riskiest:3", "scale": "gaussian"}, 1),
        ({"share": 1.0, "neutralize_to": "medium", "benchmark_weight": 0.3}, 2),
        ({"share": 0.5, "neutralize_to": ["feature_001", "feature_002"]}, 1),
    ],
)
def test_the_bundle_predicts_what_the_evaluation_scored(training, data, transform, arity):
    if isinstance(transform.get("neutralize_to"), list):
        names = json.loads((data / "features.json").read_bytes())["feature_sets"]["medium"]
        transform = {**transform, "neutralize_to": names[-2:]}
    neutral = 0.2 if arity == 2 else 0.0
    both = training(blend={"transform": transform}, max_exposure=0.4, neutralize=neutral, **FAST)
    both.succeeds("--reveal-holdout")
    manifest = both.manifest()
    assert manifest["model"]["arity"] == arity
    assert manifest["blend"]["share"] == transform["share"]
    assert set(manifest["blend"]["features"]) <= set(manifest["data"]["features"]["names"])
    predictions = pd.read_parquet(both.output / "predictions.parquet")
    scored = predictions[predictions["window"] == "final"]
    live = pd.read_parquet(data / "validation.parquet").loc[scored.index]
    benchmarks = pd.read_parquet(data / "validation_benchmark_models.parquet")
    function = pickle.loads((both.output / "model.pkl").read_bytes())
    frames = (live.sample(frac=1, random_state=1), benchmarks)[:arity]
    found = function(*frames)["prediction"]
    assert found.reindex(scored.index).tolist() == scored["prediction"].tolist()


@pytest.mark.process
def test_a_search_ends_in_a_report_and_resumes_to_the_same_bytes(training):
    blend = {**SEARCH, "payout_mmc": 0, "payout_factor": 0.1}
    searched = training(blend=blend, max_exposure=0.3, **FAST)
    first = searched.succeeds()
    assert "5 candidates on 16 scored eras" in first.text
    assert "improvement" in first.stdout
    names = ("model.pkl", "scores.json", "predictions.parquet", "training.html")
    files = {name: (searched.output / name).read_bytes() for name in names}
    search = searched.scores()["blend_search"]
    page = html.unescape(files["training.html"].decode())
    assert all(sentence in page for sentence in search["conclusion"])
    assert "(chosen)" in page
    assert search["selected_on_these_eras"]
    assert len(search["candidates"]) == 5
    assert search["eras"] == 16
    entry = searched.manifest()["blend"]
    assert search["candidates"][search["chosen"]]["transform"] == entry
    assert searched.manifest()["scores"]["blend_search"] == search

    stored = list((searched.output / "checkpoints").glob("blend_*"))
    assert len(stored) == 2
    for lost in (stored, stored[:1], []):
        for path in lost:
            path.unlink()
        for name in names:
            (searched.output / name).unlink()
        resumed = searched.succeeds()
        assert "was done before" in resumed.text
        assert {name: (searched.output / name).read_bytes() for name in names} == files


@pytest.mark.process
def test_the_holdout_does_not_influence_the_search(training, data, tmp_path):
    blend = {**SEARCH, "payout_mmc": 0}
    searched = training(blend=blend, max_exposure=0.3, **FAST)
    searched.succeeds()
    first = searched.manifest()["holdout"]["first"]
    assert max(map(int, searched.scores()["per_era"]["windows"])) < first
    changed = tmp_path / "changed"
    shutil.copytree(data, changed)
    frame = pd.read_parquet(changed / "validation.parquet")
    newest = frame["era"].astype(int) >= first
    frame.loc[newest, "target"] = 1 - frame.loc[newest, "target"]
    frame.to_parquet(changed / "validation.parquet")
    other = training("other", folder=changed, blend=blend, max_exposure=0.3, **FAST)
    other.succeeds()
    assert other.scores()["blend_search"] == searched.scores()["blend_search"]

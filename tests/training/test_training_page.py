"""The page of a training: what it says, and that it is the same for the same training."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from test_hostile_text import HOSTILE

from numerai_predict.scoring.exposures import Exposure
from numerai_predict.training.bundle_verification import Trial
from numerai_predict.training.checkpoints import StoredResult
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.evaluation import Evaluation, ScoredWindow
from numerai_predict.training.holdout import HoldoutFacts
from numerai_predict.training.model_fitting import TrainedModel
from numerai_predict.training.training_page import member_correlations, render_training
from numerai_predict.training.validation_plan import ValidationWindow

SIGHT = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
NAMES = ["t" * 200, "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd", *HOSTILE]


def made_up_window(number, targets, eras=20, looks=3):
    """A window of invented scores, with a model of each target."""
    random = np.random.default_rng(number)
    names = [f"{number * eras + each:04d}" for each in range(eras)]
    columns = ["corr", "mmc", "bmc", "fnc", "exposure"]
    scores = pd.DataFrame(random.normal(0.01, 0.02, (eras, 5)), names, columns)
    rows = pd.DataFrame({"era": np.repeat(names, 8), "prediction": random.random(8 * eras)})
    for target in targets:
        rows[f"{target}_42"] = random.random(8 * eras)
    curve = [
        {"rounds": 20 * (look + 1), "rmse": 0.2, "corr": 0.01 * look or None}
        for look in range(looks)
    ]
    stored = StoredResult({}, {"rounds": 40, "looks": curve}, b"")
    models = [TrainedModel(target, 42, stored) for target in targets]
    first = number * eras
    window = ValidationWindow(
        f"window-{number}",
        tuple(range(1, first - 30)),
        tuple(range(first - 20, first - 10)),
        tuple(range(first, first + eras)),
    )
    return ScoredWindow(window, models, Evaluation(window.name, scores, rows, 4))


def made_up_page(windows=3, targets=("target",), names=(), looks=3):
    """The page of an invented training; `names` are in every field that has foreign text."""
    scored = [made_up_window(number + 3, targets, looks=looks) for number in range(windows)]
    whole = Evaluation("all", pd.concat([each.evaluation.scores for each in scored]), None, 4)
    report = SimpleNamespace(
        config=TrainingConfig(targets=targets, output=names[0] if names else "model"),
        data=SimpleNamespace(
            features=["f"], version=names and names[0], server=names and names[1],
            hashes=dict.fromkeys(names or ["train.parquet"], "0" * 64),
        ),
        trainer=SimpleNamespace(
            name="lightgbm",
            facts=lambda: {"device": "cpu", "versions": {"lightgbm": "4.6.0"}},
        ),
        models=scored[0].models,
        scores={"windows": whole.summary(), "holdout": None, "holdout_best_of": None},
        holdout=HoldoutFacts(200, 251, False, 0, "", True),
        warnings=list(names),
    )  # fmt: skip
    exposure = Exposure(names[1] if names else "feature_a", 0.2, 0.2)
    return render_training(report, scored, Trial(0.29, exposure, 0.1), list(names))


@pytest.fixture
def shown(chromium, tmp_path):
    """Open a page."""

    def show(text, width=1280, scheme="light", scripts=True):
        path = tmp_path / "training.html"
        path.write_text(text)
        chromium.screen(width, scheme=scheme)
        chromium.open(path, scripts)
        assert chromium.requested() == [path.as_uri()]
        return chromium

    return show


def test_members_that_predict_alike_are_correlated():
    window = made_up_window(3, ("a", "b", "c"))
    predictions = window.evaluation.predictions
    predictions["b_42"] = 2 * predictions["a_42"]
    predictions["c_42"] = -predictions["a_42"]
    table = member_correlations([window])
    assert table.names == ["a_42", "b_42", "c_42"]
    np.testing.assert_allclose(table.values, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    assert member_correlations([made_up_window(3, ("a",))]) is None


def test_without_evaluations_the_page_says_that_there_are_no_curves():
    assert "No evaluation on stopping eras was recorded" in made_up_page(looks=0)
    assert "No evaluation" not in made_up_page()


def test_of_many_windows_the_curves_of_the_newest_are_drawn():
    assert "The newest 6 of 9 windows" in made_up_page(windows=9)


@pytest.mark.process
def test_a_training_writes_its_page_which_is_the_same_when_it_is_repeated(trained):
    page = (trained.output / "training.html").read_text()
    for part in ("Learning curves", "window-1", "0043 to 0048", "target_1337", "num_leaves: 8"):
        assert part in page
    assert f"report   {trained.output / 'training.html'}" in trained.ended.text
    trained.succeeds("--reveal-holdout")
    assert (trained.output / "training.html").read_text() == page


@pytest.mark.parametrize(("width", "scheme"), SIGHT)
@pytest.mark.parametrize("count", [1, 12])
def test_the_layout_holds_and_is_accessible(shown, count, width, scheme):
    targets = [f"target_{number}_20" for number in range(count)]
    page = shown(made_up_page(windows=count, targets=targets), width, scheme)
    assert page.complaints() == []
    assert page.layout_faults() == []
    assert page.serious_findings() == []


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_names_neither_run_nor_break_the_layout(shown, width):
    # The configuration refuses what is no Unicode.
    targets = [name for name in NAMES if name and name.encode("utf-8", "replace").decode() == name]
    page = shown(made_up_page(targets=targets, names=NAMES), width)
    assert page.complaints() == []
    assert page.layout_faults() == []
    assert page.serious_findings() == []


def test_without_scripts_the_page_is_whole(shown):
    page = shown(made_up_page(), scripts=False)
    assert page.layout_faults() == []

"""`numerai-predict diagnose A B C` puts several models side by side."""

import functools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from feature_models import by_feature
from page_text import is_inert
from test_hostile_text import HOSTILE

from numerai_predict.diagnostics.report import distinct_names
from numerai_predict.diagnostics.several_models import ModelsReport
from numerai_predict.diagnostics.several_models_page import models_as_json, render_models
from numerai_predict.scoring.score_summary import summarize

PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"
ERAS = [f"{number:04d}" for number in range(1, 61)]


@pytest.fixture
def diagnose(on_past_eras):
    return functools.partial(on_past_eras, "diagnose")


@pytest.fixture
def side_by_side(make_report, subject):
    """A report of models of these names, made up."""

    def make(*names, eras=ERAS):
        random = np.random.default_rng(3)
        columns = ["corr", "max_exposure", "turnover"]
        reports = [
            make_report(
                pd.DataFrame(random.normal(0.02, 0.03, (len(ERAS), 3)), ERAS, columns),
                subject=subject(model=name, sha256=f"{number:064x}"),
            )
            for number, name in enumerate(names)
        ]
        shown = distinct_names([report.subject for report in reports])
        table = pd.DataFrame(
            {
                name: report.eras.loc[eras, "corr"]
                for name, report in zip(shown, reports, strict=True)
            }
        )
        scores = {"corr": table} if eras else {}
        summaries = {"corr": {name: summarize(table[name], 4) for name in shown}} if eras else {}
        return ModelsReport(reports, shown, eras, scores, summaries, np.eye(len(shown)))

    return make


def test_models_get_a_row_each_in_one_report(diagnose, pickle_model, tmp_path):
    models = [pickle_model(by_feature(number), f"m{number}.pkl") for number in (1, 2, 3)]
    ended = diagnose(*models)
    assert ended.returncode == 0, ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines()[2:-1]] == [
        "m1.pkl",
        "m2.pkl",
        "m3.pkl",
    ]
    assert "\nintervals: 5 eras are worth 1.2 effective ones" in ended.stdout
    numbers = json.loads((tmp_path / "diagnose.json").read_text())
    assert [each["name"] for each in numbers["models"]] == ["m1.pkl", "m2.pkl", "m3.pkl"]
    assert set(numbers["summary"]["corr"]) == {"m1.pkl", "m2.pkl", "m3.pkl"}
    correlations = np.array(numbers["rank_correlations"])
    assert np.array_equal(correlations, correlations.T)
    assert np.array_equal(correlations.diagonal(), np.ones(3))


def test_the_scores_of_a_model_are_those_of_its_own_diagnosis(diagnose, pickle_model, tmp_path):
    models = [pickle_model(by_feature(number), f"m{number}.pkl") for number in (1, 2)]
    together = json.loads(diagnose(*models, "--json").stdout)
    alone = json.loads(diagnose(models[1], "--json").stdout)
    assert together["models"][1]["eras"] == alone["eras"]
    assert together["models"][1]["summary"] == alone["summary"]
    assert together["models"][1]["models_shown"] == 2


def test_a_model_that_fails_leaves_no_report(diagnose, pickle_model, tmp_path):
    def broken(live_features):
        raise ValueError("broken")

    ended = diagnose(pickle_model(by_feature(1), "a.pkl"), pickle_model(broken, "b.pkl"))
    assert ended.returncode == 20
    assert list(tmp_path.glob("diagnose.*")) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.pkl"] * 7, "expected at most 6 pickles, found 7"),
        (["a.pkl", "b.pkl", "--model", "c.pkl"], "found one as --model too"),
    ],
)
def test_too_many_pickles_are_a_usage_error(diagnose, words, message):
    ended = diagnose(*words)
    assert ended.returncode == 2
    assert message in ended.stderr


def test_models_of_the_same_name_are_distinguished_by_hash_then_by_number(subject):
    subjects = [subject(model="m.pkl", sha256=digit * 64) for digit in "aab"]
    assert distinct_names(subjects) == [
        "m.pkl (aaaaaaaa), 1",
        "m.pkl (aaaaaaaa), 2",
        "m.pkl (bbbbbbbb)",
    ]


def test_models_without_a_common_clean_era_get_no_chart(side_by_side):
    page = render_models(side_by_side("a", "b", eras=[]))
    assert "no scores to set side by side" in page
    assert '<section class="chart"' not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_text_on_the_page(side_by_side, text):
    models = side_by_side(text, text)
    page = render_models(replace(models, eras=[text, *models.eras[1:]]))
    assert "<script>alert" not in page
    assert is_inert(page)
    json.loads(models_as_json(models, [{}, {}]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("case", ["six", "no era", "hostile"])
def test_the_layout_holds_and_is_accessible(side_by_side, chromium, tmp_path, case, width, scheme):
    names = ["a" * 200, "b", "\u0645\u0631\u062d", "d", "e", "f"]
    if case == "hostile":
        names = [" ".join(HOSTILE[start::3]) for start in range(3)]
    path = tmp_path / "models.html"
    path.write_text(render_models(side_by_side(*names, eras=[] if case == "no era" else ERAS)))
    chromium.require_readable(path, width, scheme)

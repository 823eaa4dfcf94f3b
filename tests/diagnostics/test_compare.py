"""`numerai-predict compare` runs two pickles on the same eras."""

import functools
import json

import pytest
from chromium import Chromium
from feature_models import by_feature

from numerai_predict.cli.main import main

PROGRAM = "import sys; from numerai_predict.cli.main import main; sys.exit(main())"


@pytest.fixture
def compare(on_past_eras):
    return functools.partial(on_past_eras, "compare")


def test_two_models_get_a_table_a_page_and_numbers(compare, pickle_model, tmp_path):
    first = pickle_model(by_feature(1), "first.pkl")
    second = pickle_model(by_feature(2), "second.pkl")
    ended = compare(first, second)
    assert ended.returncode == 0, ended.stderr
    head, *lines = ended.stdout.splitlines()
    assert head.split()[:2] == ["first.pkl", "second.pkl"]
    assert [line.split()[0] for line in lines[:5]] == ["CORR", "MMC", "BMC", "FNC", "Payout"]
    assert "Cannot tell which is better: the eras are too few" in ended.stdout
    numbers = json.loads((tmp_path / "compare.json").read_text())
    assert [each["source"] for each in numbers["models"]] == ["first.pkl", "second.pkl"]
    for era in numbers["eras"]:
        assert set(era) == {"era", "corr", "mmc", "bmc", "fnc", "payout"}
    assert (
        "<title>first.pkl and second.pkl: comparison</title>"
        in (tmp_path / "compare.html").read_text()
    )


def test_a_model_and_itself_have_equal_scores_as_json_on_standard_output(compare, pickle_model):
    model = pickle_model(by_feature(1))
    ended = compare(model, model, "--json")
    assert ended.returncode == 0, ended.stderr
    numbers = json.loads(ended.stdout)
    assert all(each["difference"]["mean"] == 0 for each in numbers["differences"].values())
    assert numbers["rank_correlation"] == pytest.approx(1)


def test_a_second_model_that_fails_leaves_no_report(compare, pickle_model, tmp_path):
    def broken(live_features):
        raise ValueError("broken")

    ended = compare(pickle_model(by_feature(1), "a.pkl"), pickle_model(broken, "b.pkl"))
    assert ended.returncode == 20
    assert "model_error" in ended.stderr
    assert list(tmp_path.glob("compare.*")) == []


def test_one_pickle_is_not_enough(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["compare", "a.pkl"])
    assert ended.value.code == 2
    assert "PICKLE" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_is_accessible_and_loads_nothing(compare, pickle_model, tmp_path):
    first = pickle_model(by_feature(1), "first.pkl")
    assert compare(first, first).returncode == 0
    browser = Chromium(tmp_path)
    try:
        browser.screen(width=390)
        browser.open(tmp_path / "compare.html")
        assert browser.complaints() == []
        assert len(browser.requested()) == 1
        assert browser.layout_faults() == []
        assert browser.serious_findings() == []
    finally:
        browser.close()

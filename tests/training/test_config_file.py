"""One YAML file, overridden by environment variables; unknown keys are errors."""

from pathlib import Path

import pytest
import yaml

from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.training.config import TrainingConfig
from numerai_predict.training.config_file import read_training_config
from numerai_predict.training.config_reference import defaults_as_yaml


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "train.yaml"
        path.write_text(text)
        return read_training_config(path)

    return read


def test_the_defaults_are_those_of_the_field():
    settings = read_training_config(None)
    assert (settings.rounds, settings.early_stopping, settings.seeds) == (
        5000,
        300,
        (42, 1337, 2026),
    )
    chosen = settings.lightgbm
    assert (chosen.num_leaves, chosen.min_data_in_leaf, chosen.learning_rate) == (128, 1000, 0.02)
    assert (chosen.feature_fraction, chosen.bagging_fraction, chosen.bagging_freq) == (0.7, 0.8, 1)


def test_the_printed_defaults_read_back_as_the_defaults(read):
    assert read(defaults_as_yaml()) == read_training_config(None)


def test_every_key_is_documented():
    def undocumented(section, name):
        for key, field in section.model_fields.items():
            if not field.description:
                yield f"{name}{key}"
            default = field.get_default(call_default_factory=True)
            if hasattr(type(default), "model_fields"):
                yield from undocumented(type(default), f"{name}{key}.")

    assert list(undocumented(TrainingConfig, "")) == []


def test_the_environment_overrides_the_file(read, monkeypatch):
    monkeypatch.setenv("NUMERAI_TRAIN_ROUNDS", "7")
    monkeypatch.setenv("NUMERAI_TRAIN_LIGHTGBM__NUM_LEAVES", "31")
    monkeypatch.setenv("NUMERAI_TRAIN_SEEDS", "[1, 2]")
    settings = read("rounds: 100\nlightgbm: {num_leaves: 8, learning_rate: 0.5}\n")
    assert (settings.rounds, settings.seeds) == (7, (1, 2))
    assert (settings.lightgbm.num_leaves, settings.lightgbm.learning_rate) == (31, 0.5)


@pytest.mark.parametrize(
    ("variable", "value", "fragment"),
    [
        ("NUMERAI_TRAIN_RUONDS", "7", "NUMERAI_TRAIN_RUONDS"),
        ("NUMERAI_TRAIN_LIGHTGBM__LEAVES", "7", "lightgbm.leaves"),
        ("NUMERAI_TRAIN_ROUNDS", "many", "rounds"),
        ("NUMERAI_TRAIN_SEEDS", "1 2", "SEEDS"),
    ],
)
def test_an_unknown_or_invalid_variable_is_an_error(monkeypatch, variable, value, fragment):
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadConfiguration) as caught:
        read_training_config(None)
    assert fragment.lower() in caught.value.message.lower() + caught.value.remedy.lower()


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "found nothing"),
        ("# nothing\n", "found nothing"),
        ("- a\n- b\n", "found a list"),
        ("small\n", "found a str"),
        ("1: 2\n", "found a dict"),
        ("rounds: [\n", "expected YAML"),
        ("round: 5\n", "round: expected a known key"),
        ("validation: {window: 5}\n", "validation.window: expected a known key"),
        ("rounds: 0\n", "rounds: input should be greater than or equal to 1, found 0"),
        ("seeds: []\n", "seeds"),
        ("seeds: [1, 1]\n", "expected each of `seeds` once"),
        ("features: [a, b, a]\n", "expected each of `features` once"),
        ("features: []\n", "features"),
        ("trainer: torch\n", "trainer"),
        ("data: {eras: newest}\n", "data.eras: expected eras, found 'newest'"),
        ("lightgbm: {learning_rate: .nan}\n", "lightgbm.learning_rate"),
        ("python: '2.7'\n", "python"),
        ("python: 3.10\n", 'python: expected a Python version in quotes, like "3.12"'),
        ("features: 3\n", "features"),
        ("rounds: 5\nrounds: 6\n", "rounds"),
        ("rounds: yes", "rounds: expected a number, found yes"),
        ("lightgbm: {learning_rate: true}", "lightgbm.learning_rate: expected a number, found yes"),
        ("neutralize: no", "neutralize: expected a number, found no"),
        ("target: x", "target: expected a known key, found an unknown one: did you mean targets?"),
        ("lightgbm: {num_leafs: 8}", "found an unknown one: did you mean num_leaves?"),
        ("zzz: 8", "zzz: expected a known key, found an unknown one\n"),
        ("seeds: 42", "seeds: expected a list like [42], found 42"),
    ],
)
def test_invalid_values_are_reported_with_their_key(read, text, fragment):
    with pytest.raises(BadConfiguration) as caught:
        read(text)
    assert fragment in caught.value.message + "\n"
    assert caught.value.remedy


def test_all_mistakes_are_reported_together(read):
    with pytest.raises(BadConfiguration) as caught:
        read("rounds: 0\nseed: [1]\nlightgbm: {num_leaves: x}\n")
    assert "found 3 mistake(s)" in caught.value.message
    assert len(caught.value.message.splitlines()) == 4


def test_a_file_that_is_missing_is_named():
    with pytest.raises(BadConfiguration, match="No such file"):
        read_training_config(Path("/nowhere/train.yaml"))


def test_settings_survive_their_own_yaml(read):
    settings = read("features: [feature_a, feature_b]\ntargets: [target_ender_60]\n")
    again = read(yaml.safe_dump(settings.model_dump(mode="json")))
    assert again == settings


def test_yes_and_no_are_values_of_what_is_on_or_off(read):
    assert read("use_holdout: yes").use_holdout is True

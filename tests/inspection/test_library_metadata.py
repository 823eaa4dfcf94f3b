"""Library versions and feature names from models in a pickle."""

from numerai_predict.inspection.inspect import inspect_pickle


def test_versions_and_features_are_read_from_library_models(corpus_pickle):
    found = inspect_pickle(corpus_pickle("3.12", "model_of_scikit_learn"))
    assert (found.versions["sklearn"], found.versions["numpy"]) == ("1.6.1", "2")
    found = inspect_pickle(corpus_pickle("3.12", "model_of_xgboost"))
    assert found.versions["xgboost"] == "3.0.5"
    for model in ("lightgbm", "xgboost", "scikit_learn"):
        names = inspect_pickle(corpus_pickle("3.12", f"model_of_{model}")).features
        assert set(names) == {f"feature_sample_{number:04}" for number in range(3)}


def test_numpy_1_and_2_are_distinguished(inspected):
    old = inspected(b"cnumpy.core.multiarray\n_reconstruct\n.")
    new = inspected(b"cnumpy._core.multiarray\n_reconstruct\n.")
    assert (old.versions["numpy"], new.versions["numpy"]) == ("1", "2")

"""The data version that a model was probably made for."""

import pytest

from numerai_predict.inspection.data_version import describe_missing_features, probable_version


@pytest.mark.parametrize(
    ("features", "named_versions", "version"),
    [
        (["feature_intelligence1", "feature_wisdom12"], [], "v2"),
        ([f"feature_a_b_c{n}" for n in range(1191)], [], "v4,"),
        ([f"feature_a_b_c{n}" for n in range(2376)], [], "v4.3 or v5.0"),
        ([f"feature_a_b_c{n}" for n in range(3555)], [], "v5.3, which has about 3,550"),
        (["feature_a_b_c"], ["v4.1"], "v4.1, which its code mentions"),
    ],
)
def test_the_data_version_is_estimated_from_the_features(features, named_versions, version):
    assert probable_version(features, named_versions).startswith(version)
    warning = describe_missing_features(features, named_versions, {"feature_of_today"})
    assert "probably made for data version v" in warning
    assert f"lacks {len(features):,} of {len(features):,} features" in warning


def test_present_features_give_no_warning_and_few_features_no_version():
    assert describe_missing_features(["feature_a_b_c"], [], {"feature_a_b_c", "id"}) is None
    assert probable_version(["feature_a_b_c"], []) is None
    assert "probably" not in describe_missing_features(["feature_a_b_c"], [], {"id"})


def test_the_data_version_that_the_code_mentions_is_found(inspected):
    def predict(live_features):
        return live_features["v4.3/live.parquet"]

    assert inspected(predict).data_versions == ("v4.3",)

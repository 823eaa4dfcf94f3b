"""Models that are one of their features."""


def by_feature(number):
    """A model that ranks one feature."""

    def predict(live_features):
        features = live_features.filter(like="feature_")
        return features.iloc[:, [number]].rank(pct=True).set_axis(["prediction"], axis=1)

    return predict

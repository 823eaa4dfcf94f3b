"""Crafted models are refused: no crash, no endless loop."""

from __future__ import annotations

import random
import re

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost

from numerai_predict.acceleration.catboost_model import read as read_catboost
from numerai_predict.acceleration.engine import read_lightgbm, read_xgboost
from numerai_predict.acceleration.tables import NotSupported, NumericTable


@pytest.fixture(scope="module")
def text() -> str:
    """The text of a small model with categories."""
    values = np.random.default_rng(0).integers(0, 5, (500, 6)).astype(float)
    data = lightgbm.Dataset(values, values[:, 0] + values[:, 1] ** 2, categorical_feature=[2])
    settings = {"verbosity": -1, "num_threads": 1, "min_data_in_leaf": 2, "num_leaves": 7}
    return str(lightgbm.train(settings, data, 5).model_to_string())


def _replaced(text: str, line: str, value: str) -> str:
    changed, count = re.subn(rf"^{line}=.*$", f"{line}={value}", text, count=1, flags=re.MULTILINE)
    assert count
    return changed


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("left_child", "0 0 0 0 0 0"),  # cycles
        ("left_child", "5 4 3 2 1 0"),
        ("left_child", "1 1 1 1 1 1"),  # a node of several parents
        ("right_child", "999999 2 3 4 5 6"),
        ("right_child", "-2147483648 -2 -3 -4 -5 -6"),
        ("right_child", "-1"),  # too few
        ("split_feature", "-1 0 0 0 0 0"),
        ("split_feature", "6 0 0 0 0 0"),  # the model has 6 features
        ("split_feature", "99999999999999999999 0 0 0 0 0"),
        ("num_leaves", "0"),
        ("num_leaves", "-7"),
        ("num_leaves", "1000000000"),
        ("num_leaves", "70000"),
        ("num_leaves", "8"),
        ("leaf_value", "1 2 3"),
        ("leaf_value", "a b c d e f g"),
        ("threshold", "nan nan nan nan nan nan"),
        ("num_tree_per_iteration", "0"),
        ("num_tree_per_iteration", "3"),  # 5 trees
        ("num_tree_per_iteration", "100000000000"),
        ("max_feature_idx", "-5"),
        ("max_feature_idx", "1e300"),
        ("objective", "made_up"),
        ("num_cat", "100000"),
        ("num_cat", "-1"),
        ("is_linear", "1"),
    ],
)
def test_a_crafted_line_is_refused(text: str, line: str, value: str) -> None:
    with pytest.raises(NotSupported):
        read_lightgbm(_replaced(text, line, value), 0, 0, raw_score=False)


def test_categories_out_of_range_are_refused(text: str) -> None:
    for line, value in (
        ("cat_boundaries", "0 2000000000"),
        ("cat_boundaries", "-5 1"),
        ("cat_threshold", "-1"),
    ):
        if re.search(rf"^{line}=", text, re.MULTILINE):
            with pytest.raises(NotSupported):
                read_lightgbm(_replaced(text, line, value), 0, 0, raw_score=False)


def test_no_truncated_text_predicts_what_is_not_in_it(text: str) -> None:
    """The library's own loader refuses these; here they end with fewer whole trees, or a reason."""
    table = NumericTable(np.zeros((10, 6)))
    for end in range(0, len(text), 37):
        try:
            forest = read_lightgbm(text[:end], 0, 0, raw_score=False)
        except NotSupported:
            continue
        assert 1 <= forest.trees <= 5
        assert forest.predict(table).shape == (10, 1)


def test_random_changes_of_a_text_neither_crash_nor_hang(text: str) -> None:
    chosen = random.Random(0)
    table = NumericTable(np.random.default_rng(1).normal(size=(600, 6)))
    for _ in range(1500):
        changed = bytearray(text.encode())
        for _ in range(chosen.randint(1, 6)):
            place = chosen.randrange(len(changed))
            changed[place : place + chosen.randint(0, 4)] = bytes(
                chosen.choices(b"0123456789 -=.e\nT", k=chosen.randint(0, 4))
            )
        try:
            forest = read_lightgbm(changed.decode(), 0, 0, raw_score=False)
        except NotSupported:
            continue
        if forest.features <= 6:
            forest.predict(table)


@pytest.fixture(scope="module")
def ubj() -> bytearray:
    """An XGBoost model of 5 trees on 6 features."""
    values = np.random.default_rng(0).integers(0, 5, (500, 6)).astype(np.float32)
    data = xgboost.DMatrix(values, values[:, 0] + values[:, 1] ** 2)
    return xgboost.train({"max_depth": 3, "nthread": 1}, data, 5).save_raw("ubj")


def _array(model: bytes, name: str) -> tuple[int, int]:
    """Where the values of the first array of that name begin, and their number."""
    at = model.index(name.encode() + b"[$") + len(name)
    return at + 13, int.from_bytes(model[at + 5 : at + 13], "big")


@pytest.mark.parametrize(
    ("name", "node", "value"),
    [
        ("left_children", 0, 0),  # a cycle
        ("right_children", 1, 0),
        ("left_children", 0, 2),  # a node of several parents
        ("right_children", 0, 100_000),
        ("right_children", 0, -7),
        ("split_indices", 0, -1),
        ("split_indices", 0, 6),
        ("split_conditions", 0, 0x7FC00000),  # NaN
    ],
)
def test_a_crafted_tree_of_xgboost_is_refused(
    ubj: bytearray, name: str, node: int, value: int
) -> None:
    changed = bytearray(ubj)
    start, count = _array(changed, name)
    assert node < count
    place = start + 4 * node
    changed[place : place + 4] = (value & 0xFFFFFFFF).to_bytes(4, "big")
    with pytest.raises(NotSupported):
        read_xgboost(changed, 0, 0)


def test_truncated_and_changed_models_of_xgboost_neither_crash_nor_hang(ubj: bytearray) -> None:
    chosen = random.Random(0)
    table = NumericTable(np.random.default_rng(1).normal(size=(600, 6)).astype(np.float32))
    assert read_xgboost(ubj, 0, 0).trees == 5
    for end in range(0, len(ubj) - 40, 53):
        with pytest.raises(NotSupported):
            read_xgboost(ubj[:end], 0, 0)
    for _ in range(2000):
        changed = bytearray(ubj)
        for _ in range(chosen.randint(1, 4)):
            changed[chosen.randrange(len(changed))] = chosen.randrange(256)
        try:
            forest = read_xgboost(changed, 0, 0)
        except NotSupported:
            continue
        if forest.features <= 6:
            forest.predict(table)


def test_truncated_and_changed_models_of_catboost_neither_crash_nor_hang() -> None:
    values = np.random.default_rng(0).integers(0, 5, (300, 6)).astype(np.float32)
    quiet = {"verbose": 0, "thread_count": 1, "allow_writing_files": False}
    model = catboost.CatBoostRegressor(iterations=5, depth=3, **quiet)
    whole = bytes(model.fit(values, values[:, 0] + values[:, 1] ** 2)._serialize_model())
    chosen = random.Random(0)
    table = NumericTable(values)
    assert read_catboost(whole).trees == 5
    for number in range(2000):
        changed = bytearray(whole)
        for _ in range(chosen.randint(1, 4)):
            changed[chosen.randrange(8, len(changed))] = chosen.randrange(256)
        try:
            forest = read_catboost(bytes(changed if number % 4 else whole[: number * 3 + 8]))
        except NotSupported:
            continue
        if forest.features <= 6:
            forest.predict(table)

"""The sections of the configuration that belong to one trainer each.

They are not in the trainers' modules so that a configuration can be read without the libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class InvalidValue(ValueError):
    """A value that a validator rejects; the message says expected and found."""


def reject_yes_for_number(value: Any, info: ValidationInfo, fields: Mapping[str, Any]) -> Any:
    """Reject a boolean in place of a number: it would count as 1 or 0.

    Raises:
        InvalidValue: it is.
    """
    kind = fields[info.field_name].annotation if info.field_name else None
    if isinstance(value, bool) and kind in (int, float):
        raise InvalidValue(f"expected a number, found {'yes' if value else 'no'}")
    return value


class Section(BaseModel):
    """A section of the configuration: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_yes_for_number(cls, value: Any, info: ValidationInfo) -> Any:
        return reject_yes_for_number(value, info, cls.model_fields)


class LightGBMSettings(Section):
    """Parameters of LightGBM."""

    num_leaves: int = Field(128, ge=2, le=131072, description="leaves per tree")
    max_depth: int = Field(-1, ge=-1, description="maximum depth of a tree; -1 for no limit")
    min_data_in_leaf: int = Field(1000, ge=1, description="minimum number of rows per leaf")
    learning_rate: float = Field(0.02, gt=0, le=1, description="shrinkage of each tree")
    feature_fraction: float = Field(0.7, gt=0, le=1, description="share of features per tree")
    bagging_fraction: float = Field(0.8, gt=0, le=1, description="share of rows per bag")
    bagging_freq: int = Field(
        1, ge=0, description="boosting rounds between two bags; 0 for no bagging"
    )
    lambda_l1: float = Field(0.0, ge=0, description="L1 regularization")
    lambda_l2: float = Field(0.0, ge=0, description="L2 regularization")


class XGBoostSettings(Section):
    """Parameters of XGBoost."""

    max_depth: int = Field(6, ge=0, le=16, description="maximum depth of a tree")
    min_child_weight: float = Field(1000.0, ge=0, description="minimum number of rows per leaf")
    learning_rate: float = Field(0.02, gt=0, le=1, description="shrinkage of each tree")
    colsample_bytree: float = Field(0.7, gt=0, le=1, description="share of features per tree")
    subsample: float = Field(0.8, gt=0, le=1, description="share of rows per boosting round")
    reg_alpha: float = Field(0.0, ge=0, description="L1 regularization")
    reg_lambda: float = Field(1.0, ge=0, description="L2 regularization")


class CatBoostSettings(Section):
    """Parameters of CatBoost."""

    depth: int = Field(6, ge=1, le=16, description="maximum depth of a tree")
    learning_rate: float = Field(0.02, gt=0, le=1, description="shrinkage of each tree")
    rsm: float = Field(0.7, gt=0, le=1, description="share of features per split")
    subsample: float = Field(0.8, gt=0, le=1, description="share of rows per boosting round")
    l2_leaf_reg: float = Field(3.0, ge=0, description="L2 regularization")

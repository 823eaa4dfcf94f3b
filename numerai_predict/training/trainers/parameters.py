"""The sections of the configuration that belong to one trainer each.

They stand here, not with their trainers, so that a configuration is read without the libraries.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of the configuration: every key is known, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LightGBMSettings(Section):
    """Parameters of LightGBM."""

    num_leaves: int = Field(128, ge=2, le=131072, description="leaves of a tree")
    max_depth: int = Field(-1, ge=-1, description="levels of a tree; -1 for any")
    min_data_in_leaf: int = Field(1000, ge=1, description="rows that a leaf has at least")
    learning_rate: float = Field(0.02, gt=0, le=1, description="weight of a tree")
    feature_fraction: float = Field(0.7, gt=0, le=1, description="share of features a tree")
    bagging_fraction: float = Field(0.8, gt=0, le=1, description="share of rows a bag")
    bagging_freq: int = Field(1, ge=0, description="rounds between two bags; 0 for none")
    lambda_l1: float = Field(0.0, ge=0, description="L1 regularisation")
    lambda_l2: float = Field(0.0, ge=0, description="L2 regularisation")


class XGBoostSettings(Section):
    """Parameters of XGBoost."""

    max_depth: int = Field(6, ge=0, le=16, description="levels of a tree")
    min_child_weight: float = Field(1000.0, ge=0, description="rows that a leaf has at least")
    learning_rate: float = Field(0.02, gt=0, le=1, description="weight of a tree")
    colsample_bytree: float = Field(0.7, gt=0, le=1, description="share of features a tree")
    subsample: float = Field(0.8, gt=0, le=1, description="share of rows a round")
    reg_alpha: float = Field(0.0, ge=0, description="L1 regularisation")
    reg_lambda: float = Field(1.0, ge=0, description="L2 regularisation")


class CatBoostSettings(Section):
    """Parameters of CatBoost."""

    depth: int = Field(6, ge=1, le=16, description="levels of a tree")
    learning_rate: float = Field(0.02, gt=0, le=1, description="weight of a tree")
    rsm: float = Field(0.7, gt=0, le=1, description="share of features a split")
    subsample: float = Field(0.8, gt=0, le=1, description="share of rows a round")
    l2_leaf_reg: float = Field(3.0, ge=0, description="L2 regularisation")

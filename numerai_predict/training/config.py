"""The configuration of a training: its keys, their types, ranges and defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.data.era_selection import Eras
from numerai_predict.training.blending.settings import BlendSettings
from numerai_predict.training.trainers.parameters import (
    CatBoostSettings,
    InvalidValue,
    LightGBMSettings,
    Section,
    XGBoostSettings,
    reject_yes_for_number,
)

PREFIX = "NUMERAI_TRAIN_"
DELIMITER = "__"

_Name = Annotated[str, Field(min_length=1)]
_Seed = Annotated[int, Field(ge=0, le=2**31 - 10)]


class DataSettings(Section):
    """The files and eras to use."""

    directory: Path | None = Field(
        None,
        description="directory with the data files and features.json; default: that of `data get`",
    )
    files: tuple[_Name, ...] = Field(
        ("train", "validation"), min_length=1, description="files, in the order of their eras"
    )
    eras: str = Field("all", description="all, every:4, or a range like 0200-0900")

    @field_validator("eras")
    @classmethod
    def _valid_eras(cls, text: str) -> str:
        try:
            Eras.of(text)
        except DatasetUnavailable as error:
            raise InvalidValue(f"{error.message}; {error.remedy}") from None
        return text


class ValidationSettings(Section):
    """Walk-forward windows or folds, and the holdout."""

    scheme: Literal["walk_forward", "purged_kfold", "kfold"] = Field(
        "walk_forward",
        description="walk_forward: windows, each scored by models of earlier eras; purged_kfold: "
        "folds, each scored by models of all other eras, with an embargo on both sides; kfold: "
        "without it, which overlapping targets allow with --force only",
    )
    folds: int = Field(5, ge=2, le=100, description="folds of purged_kfold and kfold")
    windows: int = Field(
        4, ge=1, le=100, description="windows of walk_forward; each trains its own models"
    )
    window_eras: int = Field(52, ge=2, description="eras that score a window of walk_forward")
    stopping_eras: int = Field(26, ge=1, description="eras for early stopping of a window or fold")
    holdout_eras: int = Field(
        52, ge=2, description="newest eras, scored once and never used for choices"
    )
    purge_eras: int | None = Field(
        None,
        ge=0,
        description="embargo: eras dropped between two parts; default: longest target horizon",
    )
    fnc_features: str = Field("medium", description="feature set that FNC neutralizes to")


class TrainingConfig(BaseSettings):
    """The complete configuration of a training."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        env_ignore_empty=True,
        case_sensitive=False,
    )

    output: Path = Field(
        Path("model"), description="directory of model.pkl, checkpoints and reports"
    )
    data: DataSettings = Field(DataSettings(), description="files and eras")
    features: _Name | Annotated[tuple[_Name, ...], Field(min_length=1)] = Field(
        "medium", description="small, medium, all, another set of features.json, or a list of names"
    )
    targets: tuple[_Name, ...] = Field(
        ("target",),
        min_length=1,
        description="one model per target; scores are computed on the first",
    )
    horizons: dict[str, Annotated[int, Field(ge=1, le=500)]] = Field(
        {},
        description="horizon in trading days of targets without days in the name: {target_x: 20}",
    )
    trainer: Literal["lightgbm", "xgboost", "catboost"] = Field(
        "lightgbm", description="lightgbm, xgboost or catboost"
    )
    rounds: int = Field(5000, ge=1, le=1_000_000, description="maximum number of boosting rounds")
    early_stopping: int = Field(
        300,
        ge=0,
        description="boosting rounds without improvement that end a window's training; 0: never",
    )
    evaluate_every: int = Field(
        100, ge=1, description="boosting rounds between two evaluations on the stopping eras"
    )
    choose_by: Literal["corr", "rmse"] = Field(
        "corr", description="metric of early stopping: corr or rmse"
    )
    seeds: tuple[_Seed, ...] = Field(
        (42, 1337, 2026), min_length=1, description="one model per seed; their ranks are averaged"
    )
    benchmark: str | None = Field(
        None, description="benchmark model of BMC; default: the first in the data"
    )
    neutralize: float = Field(
        0.0,
        ge=0,
        le=1,
        description="neutralization: share of the part explained by the benchmark to remove",
    )
    max_exposure: float | None = Field(
        None,
        gt=0,
        le=1,
        description="highest absolute correlation of the predictions with one feature; a higher "
        "one is reduced to it. The submission gate allows 0.3. Default: no limit",
    )
    blend: BlendSettings = Field(
        BlendSettings(),
        description="transform of the predictions, after `neutralize` and before `max_exposure`",
    )
    use_holdout: bool = Field(
        False, description="after scoring, train again on all eras and bundle those models"
    )
    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto, cpu or gpu")
    threads: int = Field(0, ge=0, description="threads; 0: one per CPU")
    python: str | None = Field(
        None,
        pattern=r"^3\.\d{1,2}$",
        description="Python version of the bundle, like 3.12; default: the running one",
    )
    validation: ValidationSettings = Field(ValidationSettings(), description="windows and holdout")
    lightgbm: LightGBMSettings = Field(LightGBMSettings(), description="parameters of LightGBM")
    xgboost: XGBoostSettings = Field(XGBoostSettings(), description="parameters of XGBoost")
    catboost: CatBoostSettings = Field(CatBoostSettings(), description="parameters of CatBoost")

    @field_validator("*", mode="before")
    @classmethod
    def _no_yes_for_number(cls, value: Any, info: ValidationInfo) -> Any:
        return reject_yes_for_number(value, info, cls.model_fields)

    @field_validator("python", mode="before")
    @classmethod
    def _python_in_quotes(cls, value: Any) -> Any:
        if isinstance(value, float):  # YAML reads 3.10 as the number 3.1
            raise InvalidValue(
                f'expected a Python version in quotes, like "3.12", found the number {value}'
            )
        return value

    @model_validator(mode="after")
    def _no_duplicates(self) -> TrainingConfig:
        for name in ("features", "targets", "seeds"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(set(values)) < len(values):
                raise InvalidValue(f"expected each of `{name}` once, found {list(values)}")
        return self

    @property
    def parameters(self) -> Section:
        """The parameters of the chosen trainer."""
        chosen: Section = getattr(self, self.trainer)
        return chosen

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic passes all by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment variables take precedence over the file, whose values are arguments."""
        return env_settings, init_settings

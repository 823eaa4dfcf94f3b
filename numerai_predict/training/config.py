"""The configuration of a training: one YAML file, which the environment overrides by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.training_errors import BadConfiguration
from numerai_predict.data.era_selection import Eras
from numerai_predict.training.trainers.parameters import (
    CatBoostSettings,
    LightGBMSettings,
    Section,
    XGBoostSettings,
)

PREFIX = "NUMERAI_TRAIN_"
_DELIMITER = "__"

_Name = Annotated[str, Field(min_length=1)]
_Seed = Annotated[int, Field(ge=0, le=2**31 - 10)]


class DataSettings(Section):
    """Which rows of which files."""

    directory: Path | None = Field(
        None,
        description="folder with the files, features.json and more; left out, that of `data get`",
    )
    files: tuple[_Name, ...] = Field(
        ("train", "validation"), min_length=1, description="files, in the order of their eras"
    )
    eras: str = Field("all", description="all, every:4, or a range like 0200-0900")

    @field_validator("eras")
    @classmethod
    def _known(cls, text: str) -> str:
        try:
            Eras.of(text)
        except DatasetUnavailable as error:
            raise ValueError(f"{error.message}; {error.remedy}") from None
        return text


class ValidationSettings(Section):
    """Windows that walk forward over the eras, and the newest eras, which decide nothing."""

    windows: int = Field(4, ge=1, le=100, description="windows; each trains a model of its own")
    window_eras: int = Field(52, ge=2, description="eras that a window is scored on")
    stopping_eras: int = Field(26, ge=1, description="eras that choose a window's rounds")
    holdout_eras: int = Field(52, ge=2, description="newest eras, which no choice ever sees")
    purge_eras: int | None = Field(
        None, ge=0, description="eras between two parts; left out, the longest target's horizon"
    )
    fnc_features: str = Field("medium", description="set of features that FNC is neutral to")


class TrainingConfig(BaseSettings):
    """All that a training is told."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter=_DELIMITER,
        env_ignore_empty=True,
        case_sensitive=False,
    )

    output: Path = Field(Path("model"), description="folder for model.pkl and all that leads to it")
    data: DataSettings = Field(DataSettings(), description="which rows of which files")
    features: _Name | Annotated[tuple[_Name, ...], Field(min_length=1)] = Field(
        "medium", description="small, medium, all, another set of features.json, or a list of names"
    )
    targets: tuple[_Name, ...] = Field(
        ("target",), min_length=1, description="one model each; the scores are those of the first"
    )
    horizons: dict[str, Annotated[int, Field(ge=1, le=500)]] = Field(
        {},
        description="trading days of targets whose names do not end in them, like {target_x: 20}",
    )
    trainer: Literal["lightgbm", "xgboost", "catboost"] = Field(
        "lightgbm", description="lightgbm, xgboost or catboost"
    )
    rounds: int = Field(5000, ge=1, le=1_000_000, description="rounds at most")
    early_stopping: int = Field(
        300,
        ge=0,
        description="rounds without anything better that end a window's training; 0: never",
    )
    evaluate_every: int = Field(
        100, ge=1, description="rounds between two looks at the stopping eras"
    )
    choose_by: Literal["corr", "rmse"] = Field(
        "corr", description="corr or rmse chooses the rounds"
    )
    seeds: tuple[_Seed, ...] = Field(
        (42, 1337, 2026), min_length=1, description="one model each; their ranks are averaged"
    )
    benchmark: str | None = Field(
        None, description="benchmark model for BMC; left out, the first that the data have"
    )
    neutralize: float = Field(
        0.0, ge=0, le=1, description="share of the benchmark that is taken out of the predictions"
    )
    use_holdout: bool = Field(
        False, description="when all is scored, train once more on all eras, and bundle that"
    )
    device: Literal["auto", "cpu", "gpu"] = Field("auto", description="auto, cpu or gpu")
    threads: int = Field(0, ge=0, description="threads; 0: one a processor")
    python: str | None = Field(
        None,
        pattern=r"^3\.\d{1,2}$",
        description="Python that the bundle is made for, like 3.12; left out, the one at hand",
    )
    validation: ValidationSettings = Field(ValidationSettings(), description="windows and holdout")
    lightgbm: LightGBMSettings = Field(LightGBMSettings(), description="parameters of LightGBM")
    xgboost: XGBoostSettings = Field(XGBoostSettings(), description="parameters of XGBoost")
    catboost: CatBoostSettings = Field(CatBoostSettings(), description="parameters of CatBoost")

    @field_validator("python", mode="before")
    @classmethod
    def _in_quotes(cls, value: Any) -> Any:
        if isinstance(value, float):  # YAML takes 3.10 for 3.1
            raise ValueError(f'expected a Python in quotes, like "3.12", found the number {value}')
        return value

    @model_validator(mode="after")
    def _each_once(self) -> TrainingConfig:
        for name in ("features", "targets", "seeds"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(set(values)) < len(values):
                raise ValueError(f"expected each of `{name}` once, found {list(values)}")
        return self

    @property
    def parameters(self) -> Section:
        """The parameters of the trainer that was chosen."""
        chosen: Section = getattr(self, self.trainer)
        return chosen

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the names are pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first, then what the file says, which comes as arguments."""
        return env_settings, init_settings


def read_training_config(
    file: Path | None, environment: Mapping[str, str] = os.environ
) -> TrainingConfig:
    """The settings of a file, or the defaults, with what the environment overrides.

    Raises:
        BadConfiguration: the file is none, or holds an unknown key or a value that makes no sense.
    """
    told = {} if file is None else _read_mapping(file)
    where = "the environment" if file is None else f"{file} or the environment"
    names = {name.upper() for name in TrainingConfig.model_fields}
    for variable in environment:
        first = variable.upper().removeprefix(PREFIX).split(_DELIMITER)[0]
        if variable.upper().startswith(PREFIX) and first not in names:
            raise BadConfiguration(
                f"expected a variable of a known key, found {variable}",
                "correct or unset it; `numerai-predict train --defaults` lists the keys",
            )
    try:
        return TrainingConfig(**told)
    except ValidationError as error:
        lines = [f"  - {_describe_mistake(each)}" for each in error.errors(include_url=False)]
        raise BadConfiguration(
            "\n".join(
                [f"expected a configuration in {where}, found {len(lines)} mistake(s)", *lines]
            ),
            "correct them; `numerai-predict train --defaults` lists the keys",
        ) from None
    except Exception as error:  # pydantic-settings has a type of its own for what is no JSON
        if type(error).__name__ != "SettingsError":
            raise
        raise BadConfiguration(
            f"expected JSON in a list or section of the environment, found: {error}",
            f"write it like {PREFIX}SEEDS='[42, 1337]'",
        ) from None


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        told = yaml.load(file.read_bytes(), _UniqueKeyLoader)  # noqa: S506 - it is a SafeLoader
    except OSError as error:
        raise BadConfiguration(
            f"expected a configuration at {file}, found: {error.strerror}",
            "check the path; `numerai-predict train --defaults > train.yaml` writes one",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfiguration(
            f"expected YAML in {file}, found: {' '.join(str(error).split())}", "correct it"
        ) from None
    if not isinstance(told, dict) or not all(isinstance(key, str) for key in told):
        kind = "nothing" if told is None else f"a {type(told).__name__}"
        raise BadConfiguration(
            f"expected keys with their values in {file}, found {kind}",
            "write lines like `features: small`; `numerai-predict train --defaults` lists the keys",
        )
    return told


class _UniqueKeyLoader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML of plain values, in which no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping; the second of two equal keys would silently win."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.YAMLError(f"the key {twice[0]} twice, in line {node.start_mark.line + 1} on")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _describe_mistake(each: Any) -> str:
    # Of a union pydantic names each member too, like `constrained-str`.
    parts = [str(part) for part in each["loc"] if not set("-[") & set(str(part))]
    name = ".".join(parts) or "all together"
    if each["type"] == "extra_forbidden":
        return f"{name}: expected a known key, found an unknown one"
    message = each["msg"].removeprefix("Value error, ")
    if message.startswith("expected"):
        return f"{name}: {message}"
    return f"{name}: {message[0].lower()}{message[1:]}, found {each['input']!r}"

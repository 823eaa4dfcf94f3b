"""The configuration's section `blend`: an explicit transform, or candidates to search among."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from numerai_predict.scoring.payouts import CORR_MULTIPLIER, MMC_MULTIPLIER
from numerai_predict.training.trainers.parameters import InvalidValue, Section

BENCHMARK = "benchmark"
MAX_CANDIDATES = 200
_RISKIEST = re.compile(r"riskiest:([1-9]\d{0,3})")

Scale = Literal["rank", "gaussian"]
_Name = Annotated[str, Field(min_length=1)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Weight = Annotated[float, Field(ge=0, lt=1)]


def riskiest_count(neutralize_to: str) -> int | None:
    """The number in `riskiest:20`; `None` for anything else."""
    match = _RISKIEST.fullmatch(neutralize_to)
    return int(match[1]) if match else None


class TransformSettings(Section):
    """One transform, applied without a search."""

    neutralize_to: _Name | Annotated[tuple[_Name, ...], Field(min_length=1)] = Field(
        BENCHMARK,
        description="benchmark, a feature set of features.json, riskiest:20 (the features with the "
        "largest mean absolute exposure in the windows), or a list of features",
    )
    share: float = Field(0.0, ge=0, le=1, description="share of the explained part to remove")
    benchmark_weight: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="weight of the benchmark model; that of the own predictions is the rest to 1",
    )
    scale: Scale = Field(
        "rank", description="what is blended and neutralized: ranks, or gaussian, their quantiles"
    )

    @field_validator("neutralize_to")
    @classmethod
    def _known_form(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, str):
            _check_form(value)
        elif len(set(value)) < len(value):
            raise InvalidValue(f"expected each feature once, found {list(value)}")
        return value

    @model_validator(mode="after")
    def _not_both(self) -> TransformSettings:
        if self.share and self.benchmark_weight and self.neutralize_to == BENCHMARK:
            raise InvalidValue(
                "expected a benchmark to blend with or to neutralize to, found both: "
                f"benchmark_weight {self.benchmark_weight:g} and share {self.share:g}"
            )
        return self

    @property
    def is_used(self) -> bool:
        """Whether it changes any prediction."""
        return bool(self.share or self.benchmark_weight)


class BlendSettings(Section):
    """The transform of the predictions, or the search for it."""

    search: bool = Field(
        False,
        description="score every combination of the lists below on the windows' or folds' scored "
        "eras, and use the simplest one within one standard error of the best payout",
    )
    neutralize_to: tuple[_Name, ...] = Field(
        (BENCHMARK, "riskiest:20"),
        min_length=1,
        description="searched: benchmark, feature sets of features.json, riskiest:20",
    )
    shares: tuple[_Share, ...] = Field(
        (0.5, 1.0), min_length=1, description="searched: shares of neutralization, from 0 to 1"
    )
    benchmark_weights: tuple[_Weight, ...] = Field(
        (0.0, 0.2, 0.4), min_length=1, description="searched: weights of the benchmark, below 1"
    )
    scales: tuple[Scale, ...] = Field(
        ("rank", "gaussian"), min_length=1, description="searched: rank, gaussian"
    )
    payout_corr: float = Field(CORR_MULTIPLIER, ge=0, description="multiplier of CORR in payouts")
    payout_mmc: float = Field(MMC_MULTIPLIER, ge=0, description="multiplier of MMC in payouts")
    payout_factor: float = Field(
        1.0, gt=0, description="payout factor of a round; payouts are clipped at 0.05 after it"
    )
    transform: TransformSettings = Field(
        TransformSettings(), description="the transform without a search"
    )

    @field_validator("neutralize_to")
    @classmethod
    def _known_forms(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            _check_form(value)
        return values

    @model_validator(mode="after")
    def _consistent(self) -> BlendSettings:
        for name in ("neutralize_to", "shares", "benchmark_weights", "scales"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise InvalidValue(f"expected each of `{name}` once, found {list(values)}")
        if not self.payout_corr + self.payout_mmc:
            raise InvalidValue("expected payout_corr or payout_mmc above 0, found a sum of 0")
        if self.search and self.transform.is_used:
            raise InvalidValue("expected `search: true` or a `transform`, found both")
        if self.search and self.combinations > MAX_CANDIDATES:
            raise InvalidValue(
                f"expected at most {MAX_CANDIDATES} candidates of neutralize_to, shares, "
                f"benchmark_weights and scales, found {self.combinations}"
            )
        return self

    @property
    def combinations(self) -> int:
        """An upper limit of the number of candidates."""
        neutral = len(self.neutralize_to) * len(self.shares)
        return (1 + neutral) * (1 + len(self.benchmark_weights)) * len(self.scales)

    def uses(self) -> Iterator[tuple[str, str | Sequence[str]]]:
        """What the transform or a candidate neutralizes to or blends with, by key."""
        if self.search:
            if any(self.shares):
                yield from (("blend.neutralize_to", each) for each in self.neutralize_to)
            if any(self.benchmark_weights):
                yield "blend.benchmark_weights", BENCHMARK
        else:
            if self.transform.share:
                yield "blend.transform.neutralize_to", self.transform.neutralize_to
            if self.transform.benchmark_weight:
                yield "blend.transform.benchmark_weight", BENCHMARK

    @property
    def needs_windows(self) -> bool:
        """Whether the transform depends on the windows' predictions."""
        return self.search or any(
            isinstance(each, str) and riskiest_count(each) for _, each in self.uses()
        )


def _check_form(neutralize_to: str) -> None:
    """Refuse `riskiest` without a number: no feature set is named so."""
    if neutralize_to.startswith("riskiest") and not riskiest_count(neutralize_to):
        raise InvalidValue(
            f"expected a number of features like riskiest:20, found {neutralize_to!r}"
        )

"""Account settings: keys and gate limits, from the environment or a private file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from numerai_predict.contract.path_access import barred_by, is_file
from numerai_predict.contract.server_name import API_URL
from numerai_predict.contract.tournament_errors import BadSettings, NotAuthorised
from numerai_predict.storage.directories import config_directory
from numerai_predict.storage.files import resolve_links
from numerai_predict.storage.graphql import Keys
from numerai_predict.tournament.gate_limits import GateLimits, parse_exposure_limits

_MAKE_KEYS = "make a key on numer.ai (Account, API keys) and set NUMERAI_PUBLIC_ID and "
_WHERE = _MAKE_KEYS + "NUMERAI_SECRET_KEY, or put both into a file: {file}"


def _exposure_limits(text: str) -> str:
    try:
        parse_exposure_limits(text)
    except ValueError:
        raise ValueError("expected limits above 0, like 0.3 or 0.3, my_model=0.5") from None
    return text


class KeysFile(BaseSettings):
    """The keys and limits that the environment or the file can set; the environment overrides."""

    model_config = SettingsConfigDict(
        case_sensitive=True, extra="forbid", env_ignore_empty=True, populate_by_name=True
    )

    public_id: str | None = Field(None, alias="NUMERAI_PUBLIC_ID")
    secret_key: SecretStr | None = Field(None, alias="NUMERAI_SECRET_KEY")
    api_url: str = Field(API_URL, alias="NUMERAI_API_URL", pattern=r"^https?://[^\s/]+")
    min_pred_std: float = Field(GateLimits.min_pred_std, alias="MIN_PRED_STD", ge=0)
    max_abs_exposure: Annotated[str, AfterValidator(_exposure_limits)] = Field(
        str(GateLimits.max_abs_exposure), alias="MAX_ABS_EXPOSURE"
    )
    max_tied_share: float = Field(GateLimits.max_tied_share, alias="MAX_TIED_SHARE", gt=0, le=1)
    min_coverage: float = Field(GateLimits.min_coverage, alias="MIN_COVERAGE", gt=0, le=1)


@dataclass(frozen=True)
class AccountSettings:
    """The settings of tournament commands that are not options."""

    api_url: str
    keys: Keys | None
    limits: GateLimits
    file: Path

    def required_keys(self) -> Keys:
        """The keys of the account.

        Raises:
            NotAuthorised: there are none.
        """
        if self.keys is None:
            raise NotAuthorised(
                "expected the keys of an account, found none", _WHERE.format(file=self.file)
            )
        return self.keys


def keys_file(environment: Mapping[str, str] = os.environ) -> Path:
    """The keys file: `NUMERAI_KEYS_FILE`, or keys.env in the user's settings."""
    if chosen := environment.get("NUMERAI_KEYS_FILE"):
        return Path(chosen).absolute()
    return config_directory(environment) / "keys.env"


def read_account_settings(chosen: Path | None = None) -> AccountSettings:
    """Read the settings from the environment and the keys file, by default the usual one.

    Raises:
        NotAuthorised: the file is missing though one was chosen, is in a repository, or can be
            read by other users; or one key is missing.
        BadSettings: a value is invalid, or a name unknown.
    """
    file = (chosen or keys_file()).absolute()
    named = chosen is not None or bool(os.environ.get("NUMERAI_KEYS_FILE"))
    if named and (barred := barred_by(file)):
        raise NotAuthorised(f"expected a keys file at {file}, found {barred.found}", barred.remedy)
    if named and not is_file(file):
        raise NotAuthorised(f"expected a keys file at {file}, found none", "check the path")
    if is_file(file):
        _require_private(file)
    try:
        values = KeysFile(_env_file=file if is_file(file) else None)
    except ValidationError as error:
        raise BadSettings(_describe(error, file), "correct or remove it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotAuthorised(
            f"expected a keys file at {file}, found one that cannot be read",
            "write NAME=value lines into it",
        ) from error
    exposure, exposure_by_model = parse_exposure_limits(values.max_abs_exposure)
    limits = GateLimits(
        values.min_pred_std,
        exposure,
        values.min_coverage,
        values.max_tied_share,
        exposure_by_model,
    )
    return AccountSettings(values.api_url, _keys(values, file), limits, file)


def _keys(values: KeysFile, file: Path) -> Keys | None:
    secret = values.secret_key.get_secret_value() if values.secret_key else None
    if values.public_id and secret:
        return Keys(values.public_id, secret)
    if values.public_id or secret:
        given, missing = "NUMERAI_PUBLIC_ID", "NUMERAI_SECRET_KEY"
        if secret:
            given, missing = missing, given
        raise NotAuthorised(
            f"expected both keys or none, found {given} without {missing}",
            f"set {missing} as well, in the environment or in {file}",
        )
    return None


def _require_private(file: Path) -> None:
    """Require a file outside of repositories that other users cannot read.

    Raises:
        NotAuthorised: it is not.
    """
    repository = next((up for up in resolve_links(file).parents if (up / ".git").exists()), None)
    if repository is not None:
        raise NotAuthorised(
            f"expected the keys outside of repositories, found {file} in that of {repository}",
            f"move it, for example to {keys_file({**os.environ, 'NUMERAI_KEYS_FILE': ''})}",
        )
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotAuthorised(
            f"expected keys that only their owner can read, found {file} open to others",
            f"chmod 600 {file}",
        )


def _describe(error: ValidationError, file: Path) -> str:
    """The invalid names and the reasons, without the values."""
    problems = []
    for each in error.errors(include_input=False, include_url=False):
        name = ".".join(map(str, each["loc"]))
        problems.append(f"{name} ({each['msg']})")
    return (
        f"expected settings in the environment or {file}, found invalid ones: {'; '.join(problems)}"
    )

"""The environment variables that the program reads: one table for code, tests and reference.

Only the command `train` reads more: `NUMERAI_TRAIN_<KEY>` overrides a key of its configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

TRAIN_PREFIX = "NUMERAI_TRAIN_"


class Topic(Enum):
    """What a variable is about, in the order of the reference."""

    ACCOUNT = "Account and tournament"
    GATES = "Gates"
    DATA = "Data and files"
    ENVIRONMENT = "Where a model runs"
    TRANSFERS = "Transfers"
    TERMINAL = "Terminal"


@dataclass(frozen=True)
class EnvironmentVariable:
    """One variable; `default` is text for the reference."""

    name: str
    topic: Topic
    meaning: str
    default: str = "not set"


VARIABLES = (
    EnvironmentVariable(
        "NUMERAI_PUBLIC_ID", Topic.ACCOUNT, "Public id of an API key; needs `NUMERAI_SECRET_KEY`."
    ),
    EnvironmentVariable(
        "NUMERAI_SECRET_KEY", Topic.ACCOUNT, "Secret of an API key; needs `NUMERAI_PUBLIC_ID`."
    ),
    EnvironmentVariable(
        "NUMERAI_KEYS_FILE",
        Topic.ACCOUNT,
        "File with both keys, outside of any repository and readable by you alone.",
        "`~/.config/numerai-predict/keys.env`",
    ),
    EnvironmentVariable(
        "NUMERAI_API_URL",
        Topic.ACCOUNT,
        "The tournament API. `numerai-predict practice env` sets it to the practice tournament.",
        "`https://api-tournament.numer.ai`",
    ),
    EnvironmentVariable(
        "MIN_PRED_STD",
        Topic.GATES,
        "Smallest standard deviation of a submission's ranks, scaled to 0 to 1.",
        "`1e-6`",
    ),
    EnvironmentVariable(
        "MAX_TIED_SHARE", Topic.GATES, "Largest share of equal predictions.", "`0.9`"
    ),
    EnvironmentVariable(
        "MAX_ABS_EXPOSURE",
        Topic.GATES,
        "Largest absolute correlation of a submission's ranks with one feature; for single models "
        "too: `0.30, my_model=0.50`.",
        "`0.30`",
    ),
    EnvironmentVariable(
        "MIN_COVERAGE",
        Topic.GATES,
        "Smallest share of live ids with a prediction in a file for `submit`; a model that `round` "
        "runs must predict all.",
        "`1.0`",
    ),
    EnvironmentVariable(
        "NUMERAI_PROMOTION_REQUIRE",
        Topic.GATES,
        "What `registry promote` requires of the comparison with the version in production: "
        "`better`, or `not-worse`.",
        "`better`",
    ),
    EnvironmentVariable(
        "NUMERAI_PROMOTION_CONFIDENCE",
        Topic.GATES,
        "Confidence of the interval that decides it.",
        "`0.95`",
    ),
    EnvironmentVariable(
        "NUMERAI_PROMOTION_APPROVAL",
        Topic.GATES,
        "With `required`, `registry promote` needs `--approved-by NAME`.",
    ),
    EnvironmentVariable(
        "NUMERAI_DATASET_VERSION",
        Topic.DATA,
        "Default version of the tournament's data sets.",
        "`v5.2`",
    ),
    EnvironmentVariable(
        "ALLOW_DATASET_VERSION_MISMATCH",
        Topic.DATA,
        "`true` is the same as `--allow-version-mismatch`: a warning instead of a failure if the "
        "data version differs from that of a bundle's training data.",
        "`false`",
    ),
    EnvironmentVariable(
        "NUMERAI_DATA_DIR",
        Topic.DATA,
        "Directory of data snapshots, of one server; `numerai-predict practice env` sets it too.",
        "`~/.local/share/numerai-predict/data`",
    ),
    EnvironmentVariable(
        "NUMERAI_PREDICT_CACHE",
        Topic.DATA,
        "Directory of data sets that runs fetch by name; `none` turns the cache off.",
        "`~/.cache/numerai-predict/datasets`",
    ),
    EnvironmentVariable(
        "NUMERAI_REGISTRY",
        Topic.DATA,
        "Directory of the model registry, or `s3://BUCKET/PREFIX`.",
        "`~/.local/share/numerai-predict/registry`",
    ),
    EnvironmentVariable(
        "XDG_CACHE_HOME", Topic.DATA, "Parent directory of the cache.", "`~/.cache`"
    ),
    EnvironmentVariable(
        "XDG_CONFIG_HOME", Topic.DATA, "Parent directory of the keys file.", "`~/.config`"
    ),
    EnvironmentVariable(
        "XDG_DATA_HOME", Topic.DATA, "Parent directory of data snapshots.", "`~/.local/share`"
    ),
    EnvironmentVariable(
        "XDG_STATE_HOME",
        Topic.DATA,
        "Parent directory of round ledgers and of the practice tournament.",
        "`~/.local/state`",
    ),
    EnvironmentVariable(
        "TMPDIR",
        Topic.DATA,
        "Directory for temporary files, and for predictions that go to `s3://`.",
        "`/tmp`",
    ),
    EnvironmentVariable(
        "DOCKER",
        Topic.ENVIRONMENT,
        "The container engine: a command that takes Docker's arguments.",
        "`docker`",
    ),
    EnvironmentVariable(
        "NUMERAI_ACCELERATION",
        Topic.ENVIRONMENT,
        "`0` turns the tree engine off, like `--no-acceleration`.",
        "`1`",
    ),
    EnvironmentVariable(
        "NUMERAI_PREDICT_IMAGE",
        Topic.ENVIRONMENT,
        "Name of the running image, for the result record; images set it.",
    ),
    EnvironmentVariable(
        "AWS_*",
        Topic.TRANSFERS,
        "boto3's variables, for `s3://`: `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL_S3` and so on. "
        "`numerai-predict run` passes them on to a container.",
        "boto3's own",
    ),
    EnvironmentVariable(
        "NUMERAI_MAX_FETCHED_SIZE",
        Topic.TRANSFERS,
        "Largest size of a fetched file, like `8g`; `none` removes the limit.",
        "`32g`",
    ),
    EnvironmentVariable(
        "NUMERAI_MAX_UNPACKED_SIZE",
        Topic.TRANSFERS,
        "Largest size of a file that a server sends with `Content-Encoding: gzip`, unpacked; "
        "`none` removes the limit.",
        "`64g`",
    ),
    EnvironmentVariable(
        "HTTPS_PROXY",
        Topic.TRANSFERS,
        "Proxy, as for curl; `HTTP_PROXY` and `NO_PROXY` work too.",
    ),
    EnvironmentVariable(
        "REQUESTS_CA_BUNDLE", Topic.TRANSFERS, "File of trusted certificates.", "certifi's"
    ),
    EnvironmentVariable(
        "NO_COLOR", Topic.TERMINAL, "Switches colours off if it has a value that is not empty."
    ),
    EnvironmentVariable(
        "FORCE_COLOR",
        Topic.TERMINAL,
        "Switches colours on even if the output is not a terminal; `NO_COLOR` takes precedence.",
    ),
)

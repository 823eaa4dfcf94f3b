"""The immutable request for a run: the validated options of `predict.py`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from numerai_predict.contract.limits import Limits
from numerai_predict.contract.model_call import ModelCall, SourceLabels
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.sandbox import Sandbox


@dataclass(frozen=True)
class PresignedPost:
    """A presigned S3 POST; `fields` are its form fields in order.

    Both are credentials: the representation shows neither.
    """

    url: str = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)


def parse_presigned_post(
    url: str | None, data: str | None, names: tuple[str, str]
) -> PresignedPost | None:
    """The presigned POST of a URL and urlencoded form fields; `None` if both are missing.

    Raises:
        ValueError: one of them is missing or invalid; the message has its name, not its value.
    """
    url_name, data_name = names
    if (url is None) != (data is None):
        raise ValueError(f"{url_name} and {data_name}: expected both or neither")
    if url is None or data is None:
        return None
    if not _is_http_url(url):
        raise ValueError(f"{url_name}: expected an http(s):// URL")
    try:
        fields = parse_qsl(data, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise ValueError(
            f"{data_name}: expected urlencoded fields, like key=...&policy=..."
        ) from None
    return PresignedPost(url, tuple(fields))


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


@dataclass(frozen=True)
class DatasetFolders:
    """Local directories in which a run finds data sets by name; `None` for none.

    `snapshots` is what `numerai-predict data get` writes; runs only read it. `cache` is what
    runs write.
    """

    snapshots: Path | None = None
    cache: Path | None = None


NO_FOLDERS = DatasetFolders()


@dataclass(frozen=True)
class Job:
    """One execution of one model on one data set.

    `model`, `dataset` and `benchmarks` are files, URLs or names of Numerai data sets. Where `model`
    is a local copy, `model_source` is its display name in messages and in the record. The
    predictions are saved in `output_dir`, and delivered from there to `output_url`, an
    `s3://bucket/prefix`, and to `post`. `dataset_folders` are the local directories of data
    sets by name. `deadline` is in seconds for the whole run, `result` the file for the result
    record. With `check` the model is inspected and not run, with `hosted` a model or predictions
    that hosted compute would refuse make the run fail, with `allow_version_mismatch` data of
    another version than a bundle's are allowed. `acceleration` allows the tree engine.
    """

    model: str = field(repr=False)
    dataset: str = field(repr=False)
    benchmarks: str = field(repr=False)
    output_dir: Path
    output_url: str | None = None
    dataset_folders: DatasetFolders = NO_FOLDERS
    post: PresignedPost | None = None
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = Sandbox.AUTO
    deadline: float | None = None
    result: Path | None = None
    debug: bool = False
    check: bool = False
    hosted: bool = False
    acceleration: bool = True
    allow_version_mismatch: bool = False
    model_source: str | None = field(default=None, repr=False)

    @property
    def shown_model(self) -> str:
        """The redacted source of the model, for messages and the record."""
        return redact(self.model_source or self.model)

    @property
    def model_call(self) -> ModelCall:
        """The part of this job that a session with a model process needs."""
        labels = SourceLabels(self.shown_model, redact(self.dataset), redact(self.benchmarks))
        return ModelCall(
            labels, self.limits, self.sandbox, self.debug, self.hosted, self.acceleration
        )

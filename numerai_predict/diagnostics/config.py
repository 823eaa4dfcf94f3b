"""The configuration of a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.contract.limits import HOSTED_MEMORY_BYTES, Limits
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.data.era_selection import Eras
from numerai_predict.diagnostics.data_files import DiagnosisFiles

# Share (1 / _BATCH_SHARE) of the model's memory limit that the features of a batch may use: this
# process holds the batch while the model process holds one era and its copies of it as floats.
_BATCH_SHARE = 8


@dataclass(frozen=True)
class DiagnosisConfig:
    """A model, the data to run it on, and how to run it.

    `model` is a file, URL or `s3://...`. `benchmark` is the benchmark model of BMC, `None` for
    the first of the file. `neutral_to` is the feature set of FNC, `None` for no FNC. `local` runs
    the model in the local Python even if a container image is available.
    `name` is the model's in reports, `None` for that of its file.
    `acceleration` allows the tree engine.
    `allow_version_mismatch` allows data of another version than a bundle's.
    """

    model: str = field(repr=False)
    files: DiagnosisFiles
    output_dir: Path
    eras: Eras = field(default_factory=Eras)
    target: str = "target"
    benchmark: str | None = None
    neutral_to: str | None = "medium"
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = Sandbox.AUTO
    local: bool = False
    debug: bool = False
    acceleration: bool = True
    allow_version_mismatch: bool = False
    name: str | None = None

    @property
    def batch_bytes(self) -> int:
        """The maximum size in bytes of a batch's features (int8)."""
        return (self.limits.memory_bytes or HOSTED_MEMORY_BYTES) // _BATCH_SHARE

"""What a diagnosis is to be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from numerai_predict.contract.limits import HOSTED_MEMORY_BYTES, Limits
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.data.era_selection import Eras
from numerai_predict.diagnostics.data_files import DiagnosisFiles

# Of the model's memory limit, for the features of a batch: they are held here, while the model
# holds one era of them, in whatever copies as floating point numbers it makes.
_BATCH_SHARE = 8


@dataclass(frozen=True)
class DiagnosisConfig:
    """A model and what it is looked at with.

    `model` is a file, URL or `s3://...`; `benchmark` names the benchmark model of BMC, `None`
    for the first; `neutral_to` the feature set of FNC, `None` for no FNC. `local` runs the model in
    this Python, also where an image could be used.
    """

    model: str = field(repr=False)
    sources: DiagnosisFiles
    output_dir: Path
    eras: Eras = field(default_factory=Eras)
    target: str = "target"
    benchmark: str | None = None
    neutral_to: str | None = "medium"
    limits: Limits = field(default_factory=Limits)
    sandbox: Sandbox = Sandbox.AUTO
    local: bool = False
    debug: bool = False

    @property
    def batch_bytes(self) -> int:
        """Of features, int8, that are held at a time."""
        return (self.limits.memory_bytes or HOSTED_MEMORY_BYTES) // _BATCH_SHARE

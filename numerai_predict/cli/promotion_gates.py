"""The gates of a promotion: what a version must show before it is the one in production."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.record import Record
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.tournament_errors import GateClosed
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.registry.history import ModelVersion
from numerai_predict.runner.container.job_run import require_record, run_job, target_of_job
from numerai_predict.runner.entrypoint import record_of
from numerai_predict.runner.run_log import log_step
from numerai_predict.tournament.gate_limits import GateLimits, format_figures
from numerai_predict.tournament.gates import check_gates
from numerai_predict.tournament.round_predictions import named_features


@dataclass(frozen=True)
class PromotionGate:
    """A gate of a promotion: whether it is open, and what it found, in words."""

    name: str
    is_open: bool
    finding: str

    def __str__(self) -> str:
        return f"{'open' if self.is_open else 'closed':6} {self.name}: {self.finding}"


@dataclass(frozen=True)
class PromotionCheck:
    """What the gates check: the pickle of a version on the live data in a directory.

    `data_version` is that of the tournament's data, `limits` those of submissions.
    """

    pickle: Path
    version: ModelVersion
    data: Path
    data_version: str
    limits: GateLimits
    no_container: bool
    deadline: Deadline

    def gates(self) -> Iterator[PromotionGate]:
        """Each gate in turn; those that need predictions only if there are some."""
        yield self._data_version_gate()
        live, benchmarks = self.data / "live.parquet", self.data / "live_benchmark_models.parquet"
        if missing := [path for path in (live, benchmarks) if not path.is_file()]:
            command = f"numerai-predict data get {' '.join(path.stem for path in missing)}"
            yield PromotionGate(
                "run", False, f"expected {missing[0]}, found nothing there: `{command}`"
            )
            return
        with temporary_directory("numerai-promotion-") as folder:
            record = self._run(live, benchmarks, Path(folder))
            yield run_gate(record)
            if record.predictions.path is not None:
                yield self._submission_gate(Path(record.predictions.path), live)

    def _data_version_gate(self) -> PromotionGate:
        trained = self.version.added.facts.get("data_version")
        if trained is None:
            return PromotionGate("data version", True, "unknown, as no manifest states it")
        finding = f"trained on {trained}, the tournament has {self.data_version}"
        return PromotionGate("data version", trained == self.data_version, finding)

    def _run(self, live: Path, benchmarks: Path, folder: Path) -> Record:
        """Run the pickle within the hosted limits, as hosted compute does."""
        job = Job(
            model=str(self.pickle),
            dataset=str(live),
            benchmarks=str(benchmarks),
            output_dir=folder,
            deadline=self.deadline.left(),
            hosted=True,
            allow_version_mismatch=True,  # a gate of its own compares them
        )
        target = target_of_job(job.model, self.no_container)
        log_step("run", target.announcement)
        return require_record(run_job(target, job, record_of), target)

    def _submission_gate(self, predictions: Path, live: Path) -> PromotionGate:
        name = "submission gates"
        try:
            figures = check_gates(predictions, live, named_features(self.pickle), self.limits)
        except GateClosed as closed:
            reasons = [line.strip(" -") for line in closed.message.splitlines()[1:]]
            return PromotionGate(name, False, "; ".join(reasons))
        except RunError as error:
            return PromotionGate(name, False, error.message)
        return PromotionGate(name, True, format_figures(figures))


def run_gate(record: Record) -> PromotionGate:
    """Whether the run of a record is one that hosted compute accepts."""
    python = record.environment.python
    if record.verdict != Verdict.OK.word:
        found = f"Python {python}, {record.verdict}: {record.message.splitlines()[0]}"
        return PromotionGate("run", False, found)
    memory = format_size(record.peak_memory_bytes) if record.peak_memory_bytes else "unknown"
    seconds = record.seconds.total or 0.0
    finding = f"Python {python}, {memory} at the peak, {seconds:.1f} s, accepted as hosted"
    return PromotionGate("run", True, finding)

"""The gates of a promotion: what a version must pass to become the production version."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.cli.registered_models import copy_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.record import Record
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.contract.tournament_errors import GateClosed
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.diagnostics.compare import compare_on_eras
from numerai_predict.diagnostics.comparison import ModelComparison
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.data_files import find_data_files
from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.diagnostics.promotion_rule import PromotionRule
from numerai_predict.registry.reference import PRODUCTION, Reference
from numerai_predict.registry.registry import Registry
from numerai_predict.runner.container.job_run import require_record, run_job, target_of_job
from numerai_predict.runner.entrypoint import record_of
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.tournament.gate_limits import GateLimits, format_figures
from numerai_predict.tournament.gates import check_gates
from numerai_predict.tournament.round_predictions import named_features


@dataclass(frozen=True)
class PromotionGate:
    """A gate of a promotion: whether it passed, and what it found, as text."""

    name: str
    passed: bool
    finding: str

    def __str__(self) -> str:
        return f"{'passed' if self.passed else 'blocked':7} {self.name}: {self.finding}"


@dataclass(frozen=True)
class PromotionCheck:
    """What the gates check: a version on the data in a directory, and against production.

    `reference` names the version by its number, `pickle` is its local copy. `data_version` is that
    of the tournament's data, `limits` those of submissions. `rule` is what the comparison must
    show. `approved_by` says who approved it, `None` for no one; a gate of its own checks that if
    `needs_approval`.
    """

    registry: Registry
    reference: Reference
    pickle: Path
    data: Path
    data_version: str
    limits: GateLimits
    rule: PromotionRule
    needs_approval: bool
    approved_by: str | None
    no_container: bool
    deadline: Deadline

    def gates(self) -> Iterator[PromotionGate]:
        """Each gate in turn; those that need predictions only if there are some."""
        if self.needs_approval:
            yield self._approval_gate()
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
            predictions = record.predictions.file_in(Path(folder))
            if predictions is None:
                return
            yield self._submission_gate(predictions, live)
        yield self._comparison_gate()

    def _approval_gate(self) -> PromotionGate:
        finding = f"by {self.approved_by}" if self.approved_by else "missing: --approved-by NAME"
        return PromotionGate("approval", bool(self.approved_by), finding)

    def _data_version_gate(self) -> PromotionGate:
        trained = self.registry.version(self.reference).added.facts.get("data_version")
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
            return PromotionGate(name, False, "; ".join(closed.reasons))
        except RunError as error:
            return PromotionGate(name, False, error.message)
        return PromotionGate(name, True, format_figures(figures))

    def _comparison_gate(self) -> PromotionGate:
        """Whether the rule allows the version to replace the one in production."""
        name, production = "comparison", Reference(self.reference.name, None, PRODUCTION)
        number = self.registry.history(production.name).aliases.get(PRODUCTION)
        if number is None:
            return PromotionGate(name, True, "no version is in production yet")
        if number == self.reference.number:
            return PromotionGate(name, True, "it is the version in production")
        try:
            comparison = self._compare_with(copy_of(self.registry, production))
        except RunError as error:
            return PromotionGate(name, False, f"{error.message}: {error.remedy}")
        return PromotionGate(name, *self.rule.judge(comparison))

    def _compare_with(self, production: Path) -> ModelComparison:
        def config(pickle: Path, name: str) -> DiagnosisConfig:
            return DiagnosisConfig(
                model=str(pickle),
                files=find_data_files(self.data),
                output_dir=self.data,  # no report is written
                neutral_to=None,
                local=self.no_container,
                allow_version_mismatch=True,
                name=name,
            )

        progress = EraProgress(functools.partial(log_step, "compare"), stderr_terminal())
        try:
            return compare_on_eras(
                config(self.pickle, str(self.reference)),
                config(production, PRODUCTION),
                self.deadline,
                progress.update,
            )
        finally:
            progress.end()


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

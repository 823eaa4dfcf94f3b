"""Decides which results of earlier fleet runs are current: those with the key of this run."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from numerai_predict.contract.counting import counted
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.ledger_rows import LedgerResult
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.preparation import (
    PreparationFailure,
    PreparedModel,
    Preparer,
    preparer_of,
)
from numerai_predict.fleet.result_files import ResultFiles
from numerai_predict.fleet.result_key import KeyFactory, ResultKey, destination_id
from numerai_predict.storage.files import sha256_of

_NO_KEY = "no key"
_FILE = "file of predictions"
_NO_MODEL = "model (it cannot be fetched)"


@dataclass(frozen=True)
class ReuseReport:
    """Which results of earlier fleet runs are current, by model.

    `outdated` has the reasons. `unchecked` are those that the deadline left no time for.
    """

    reused: frozenset[str]
    failed: int
    outdated: Mapping[str, Sequence[str]]
    unchecked: frozenset[str]

    def lines(self) -> list[str]:
        """The report for people, one sentence a line."""
        lines = []
        if self.reused:
            failed = f"; {self.failed} of them failed (see --retry-failed)" if self.failed else ""
            lines.append(
                f"reused {counted(len(self.reused), 'result')} of an earlier run: "
                f"same model, data and options{failed}"
            )
        for reasons, count in Counter(map(tuple, self.outdated.values())).items():
            if reasons == (_NO_KEY,):
                lines.append(
                    f"{counted(count, 'result')} of an earlier version left out; these models will "
                    "run again: what a result depends on was not recorded then"
                )
            else:
                lines.append(
                    f"{counted(count, 'result')} of an earlier run left out; these models will run "
                    f"again; changed: {', '.join(reasons)}"
                )
        return lines


class ResultReuse:
    """Compares results of earlier fleet runs with what this one would compute."""

    def __init__(
        self,
        config: FleetConfig,
        ledger: FleetLedger,
        keys: KeyFactory,
        environments: Sequence[Environment],
        deadline: Deadline,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._keys = keys
        self._environments = environments
        self._deadline = deadline
        self._files = ResultFiles(config.output_dir)

    def check(self, entries: Sequence[ManifestEntry]) -> ReuseReport:
        """Keep the results that are current; queue the models of all others again.

        Files of results were set aside before; those of current results are moved back.
        """
        results = self._ledger.results()
        found = [entry for entry in entries if entry.id in results]
        outdated = {
            entry.id: reasons
            for entry in found
            if (reasons := self._known_changes(entry, results[entry.id]))
        }
        self._withdraw(outdated)
        reused, failed = set[str](), 0
        candidates = [entry for entry in found if entry.id not in outdated]
        for model in self._prepare(candidates):
            stored = results[model.entry.id]
            if reasons := self._changes(model, stored):
                outdated[model.entry.id] = reasons
                self._withdraw([model.entry.id])
            else:
                reused.add(model.entry.id)
                failed += stored.state is ModelState.FAILED
                self._keep(model.entry, stored)
        self._discard_files_without_result(entries)
        unchecked = {entry.id for entry in candidates} - reused - outdated.keys()
        return ReuseReport(frozenset(reused), failed, outdated, frozenset(unchecked))

    def _known_changes(self, entry: ManifestEntry, stored: LedgerResult) -> list[str]:
        """What changed, as far as it shows without the model."""
        key = ResultKey.from_json(stored.key)
        if key is None:
            return [_NO_KEY]
        changes = self._keys.key(entry, None, None).changes_before_model(key)
        return changes or ([] if self._has_its_file(entry, stored) else [_FILE])

    def _has_its_file(self, entry: ManifestEntry, stored: LedgerResult) -> bool:
        """Whether the predictions are as they were stored; a failed model has none."""
        if stored.state is ModelState.FAILED and stored.verdict != Verdict.UPLOAD_FAILED.word:
            return True
        path = self._files.csv_aside(entry.id)
        return path.is_file() and sha256_of(path) == stored.sha256

    def _prepare(
        self, entries: Sequence[ManifestEntry]
    ) -> Iterator[PreparedModel | PreparationFailure]:
        """Fetch and inspect the models, as many as there is time for."""
        with contextlib.closing(self._preparer()) as preparer:
            for model in preparer.prepare_each(entries, self._config.models_ahead):
                if self._deadline.remaining() <= 0:
                    return
                yield model
                if isinstance(model, PreparedModel):
                    model.discard_files()

    def _preparer(self) -> Preparer:
        return preparer_of(self._config, self._keys.data, self._environments, self._deadline)

    def _changes(
        self, model: PreparedModel | PreparationFailure, stored: LedgerResult
    ) -> list[str]:
        environment = model.environment if isinstance(model, PreparedModel) else None
        sha256 = model.record.model.sha256
        key = ResultKey.from_json(stored.key)
        assert key is not None
        if sha256 is None and key.model is not None:
            return [_NO_MODEL]
        return self._keys.key(model.entry, sha256, environment).changes(key)

    def _keep(self, entry: ManifestEntry, stored: LedgerResult) -> None:
        self._files.restore(entry.id)
        destination = destination_id(entry.post)
        failed = stored.state is ModelState.FAILED
        if destination != stored.destination and (
            not failed or stored.verdict == Verdict.UPLOAD_FAILED.word
        ):
            self._ledger.redeliver(entry.id, destination)

    def _withdraw(self, model_ids: Iterable[str]) -> None:
        ids = list(model_ids)
        for model_id in ids:
            self._files.discard(model_id)
        self._ledger.withdraw(ids, "its result is not of this model, data and options")

    def _discard_files_without_result(self, entries: Iterable[ManifestEntry]) -> None:
        results = self._ledger.results()
        for entry in entries:
            if entry.id not in results:
                self._files.discard(entry.id)

"""The steps of a run: fetch, inspect, load, predict, validate, save, deliver."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.record import DataFacts, Step
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.bundle_manifest import BundleManifest
from numerai_predict.runner import preflight
from numerai_predict.runner.bundle_check import check_features, check_pickle, check_python
from numerai_predict.runner.bundle_data import ModelInput, check_data
from numerai_predict.runner.container.container_files import is_lost_with_container
from numerai_predict.runner.fetching import FetchedFile, fetch_data, fetch_model
from numerai_predict.runner.recorded_run import RecordedRun
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.runner.supervisor.network_attempts import attempted_hosts_in_errors
from numerai_predict.runner.supervisor.session import (
    InspectedModel,
    ModelSession,
    new_interpreter,
)
from numerai_predict.runner.supervisor.time_limit import response_time_limit
from numerai_predict.runner.validation.prediction_validation import require_hosted, validate
from numerai_predict.runner.validation.submission_file import require_directory, save_predictions
from numerai_predict.sandbox.layers import Layers
from numerai_predict.storage.destinations import (
    Destination,
    Directory,
    PostForm,
    deliver,
    destination_of,
)
from numerai_predict.storage.files import resolve_links
from numerai_predict.storage.sources import LocalFile, source_of

if TYPE_CHECKING:
    from numerai_predict.runner.validation.prediction_validation import ValidatedPredictions
    from numerai_predict.runner.validation.predictions import Predictions


class ModelRun(RecordedRun):
    """One run of a model, from fetching to delivery."""

    def _perform(self, directory: Path, supervisor_layers: Layers) -> str:
        job = self._job
        require_directory(job.output_dir)
        predictions = self._validated_predictions(directory, supervisor_layers)
        with self._record.timed(Step.DELIVER):
            saved = save_predictions(job.output_dir, predictions)
            self._record.set_predictions_file(saved.path, saved.sha256)
            policy = transfer_policy(self._deadline, "deliver")
            destination = deliver(saved.path, _destinations(job), policy)
        self._record.set_destination(destination)
        if job.post is not None or job.output_url is not None:
            log_step("deliver", destination)
        return f"delivered to {destination}{_inside_container(job, destination)}"

    def _validated_predictions(
        self, directory: Path, supervisor_layers: Layers
    ) -> ValidatedPredictions:
        """Validated predictions; the model process is gone when this returns."""
        # The model process imports pandas while the supervisor fetches and imports pyarrow.
        call = self._job.model_call
        start = new_interpreter(call, [directory, *_local_files(self._job)])
        session = ModelSession(call, start, self._deadline, supervisor_layers)
        try:
            with session:
                predictions = self._predict(session, directory)
        finally:
            self._record.add_session(session.summary)
        summary = session.summary
        log_step(
            "predict",
            f"{predictions.rows:,} rows in {summary.predict_seconds:.2f} s, "
            f"peak memory {format_size(summary.peak_bytes)}",
        )
        with (
            self._record.timed(Step.CHECK),
            response_time_limit(),
            attempted_hosts_in_errors(lambda: summary.attempted_hosts),
        ):
            validated = validate(predictions)
            if self._job.hosted:
                self._record.add_hosted_reasons(validated.hosted_reasons)
                require_hosted(validated)
        self._record.set_predictions(validated)
        return validated

    def _predict(self, session: ModelSession, directory: Path) -> Predictions:
        model, bundle = self._fetch_model(directory)
        dataset, live_ids = self._fetch_live_data(model, bundle, directory)
        loaded = session.load(model, dataset)
        benchmarks = self._fetch_benchmarks(directory) if loaded.arity == 2 else None
        return session.decode(session.predict(benchmarks), live_ids)

    def _fetch_model(self, directory: Path) -> tuple[InspectedModel, BundleManifest | None]:
        record, source = self._record, self._job.shown_model
        record.set_model_source(source)
        with record.timed(Step.FETCH):
            fetched = fetch_model(self._job.model, self._deadline, directory, source)
        record.set_model_file(fetched)
        bundle = check_pickle(self._job.model, fetched.sha256)
        inspection = preflight.inspect_model(fetched.path)
        record.set_pythons(inspection.pythons.legal)
        labels = self._job.model_call.labels
        record.add_warnings(preflight.check_compatibility(inspection, labels))
        check_python(bundle, RUNNING_PYTHON)
        check_features(bundle, inspection.features)
        return InspectedModel(fetched.path, inspection), bundle

    def _fetch_live_data(
        self, model: InspectedModel, bundle: BundleManifest | None, directory: Path
    ) -> tuple[Path, list[str]]:
        # pyarrow takes 0.1 s to import
        from numerai_predict.runner.live_data import read_ids, read_shape, require_memory

        source = redact(self._job.dataset)
        self._record.set_dataset(DataFacts(source=source))
        with self._record.timed(Step.FETCH):
            fetched = self._fetch_data(self._job.dataset, "live", directory)
            self._record.set_dataset(fetched.as_data())
            ids = read_ids(fetched.path, source)
            shape = read_shape(fetched.path, source)
            require_memory(shape, self._job.limits.memory_bytes, source)
        self._record.set_dataset(fetched.as_data(shape))
        log_step("fetch", f"live data {source}, {shape}")
        allowed = self._job.allow_version_mismatch
        data = ModelInput(self._job.dataset, shape.names, allow_mismatch=allowed)
        self._record.add_warnings(check_data(bundle, data))
        self._record.add_warnings(preflight.check_columns(model.inspection, shape.names))
        return fetched.path, ids

    def _fetch_benchmarks(self, directory: Path) -> Path:
        from numerai_predict.runner.live_data import read_shape

        source = redact(self._job.benchmarks)
        self._record.set_benchmarks(DataFacts(source=source))
        with self._record.timed(Step.FETCH):
            fetched = self._fetch_data(self._job.benchmarks, "benchmarks", directory)
            self._record.set_benchmarks(fetched.as_data())
            shape = read_shape(fetched.path, source)
        self._record.set_benchmarks(fetched.as_data(shape))
        log_step("fetch", f"benchmarks {source}, {shape}")
        return fetched.path

    def _fetch_data(self, source: str, name: str, directory: Path) -> FetchedFile:
        folders = self._job.dataset_folders
        fetched = fetch_data(source, folders, self._deadline, directory, name)
        self._record.add_warnings(list(fetched.warnings))
        return fetched


def _destinations(job: Job) -> list[Destination]:
    """Where the saved predictions go; the output directory has them already."""
    destinations: list[Destination] = []
    if job.output_url is not None:
        destinations.append(destination_of(job.output_url))
    if job.post is not None:
        destinations.append(PostForm(job.post))
    return destinations or [Directory(job.output_dir)]


def _inside_container(job: Job, destination: str) -> str:
    """Hint for a file that is lost when the container exits."""
    is_file = job.post is None and job.output_url is None
    if not is_file or not is_lost_with_container(Path(destination).parent):
        return ""
    return ", inside the container: to keep the file, mount a directory and give it as --output_dir"


def _local_files(job: Job) -> list[Path]:
    """The resolved paths of the job's sources that are local files."""
    sources = map(source_of, (job.model, job.dataset, job.benchmarks))
    return [resolve_links(source.path) for source in sources if isinstance(source, LocalFile)]

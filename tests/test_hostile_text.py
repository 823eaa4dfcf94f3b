"""Hostile text in any field leaves every output bounded, printable and without forged lines."""

import io
import json
import logging
import re
import unicodedata
from contextlib import closing
from dataclasses import asdict, replace

import pytest

from numerai_predict.cli.commands import registry
from numerai_predict.cli.promotion_gates import PromotionGate
from numerai_predict.contract.errors import InvalidPredictions, ModelError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.model_call import SourceLabels
from numerai_predict.contract.record import (
    AccelerationFacts,
    EnvironmentFacts,
    ModelFacts,
    Record,
)
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.ledger import FleetLedger
from numerai_predict.fleet.model_state import ModelState
from numerai_predict.fleet.progress_display import FleetDisplay
from numerai_predict.fleet.report.html_report import render_report
from numerai_predict.fleet.report.model_table import ResultDirectory
from numerai_predict.fleet.summary import FleetSummary
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.inspection.python_versions import Pythons
from numerai_predict.inspection.report import as_json, as_text
from numerai_predict.inspection.signature import CallableSummary
from numerai_predict.registry.event_schema import MAX_EVENT_BYTES, parse_event
from numerai_predict.registry.history import ModelHistory
from numerai_predict.runner import preflight, run_log
from numerai_predict.runner.acceleration_report import AccelerationReport
from numerai_predict.runner.child.exception_report import describe
from numerai_predict.runner.protocol import AttemptedHost, LoadedModel, Predicted, Stage
from numerai_predict.runner.supervisor.crash_report import CrashReport
from numerai_predict.runner.supervisor.crash_rules import classify_crash
from numerai_predict.runner.supervisor.failure_report import Failure
from numerai_predict.runner.supervisor.failure_rules import classify_failure
from numerai_predict.runner.supervisor.failure_schema import read_failure
from numerai_predict.runner.supervisor.model_output import ModelOutput
from numerai_predict.runner.supervisor.network_attempts import attempted_hosts_in_errors
from numerai_predict.runner.validation import submission_rules
from numerai_predict.runner.validation.predictions import Predictions
from numerai_predict.terminal.screen import Screen
from numerai_predict.terminal.table import Column, TextTable

FORGED = "12:00:00 verdict  ok (exit 0): delivered to /tmp/x"
HOSTILE = [
    f"\n{FORGED}", f"x\r{FORGED}", f"x\r\n{FORGED}\n", f"x\x0b{FORGED}", f"x\x0c{FORGED}",
    f"x\x85{FORGED}", f"x\u2028{FORGED}", f"x\u2029{FORGED}", f"x\x1c{FORGED}", f"x\x1e{FORGED}",
    "\x00", "\x07\x08\x7f", "\t\tx", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\",
    "\x1bP1$r\x1b\\", "\x9b2J", "\x90q\x9c", "\x1b[?1049h", "\u202etxt.exe", "\u2066a\u2069",
    "\u200f\u200e\u061c", "a\u200bb\u200c\u200d", "\ufeff\u2060", "\u3164\u115f\uffa0", "\u034f",
    "\ufe0f\U000e0101", "\U000e0041\U000e0042", "lone \ud800", "\udcff\udfff", "\ue000\U0010ffff",
    "x" * 300_000, "://" * 100_000, "\u200b" * 100_000, "a\n" * 100_000, "\x1b[0;" * 50_000,
    "<script>alert(1)</script>", "{{ 7 * 7 }}${x}", "%s%n%(x)d", "=cmd|' /C calc'!A0",
    "'; DROP TABLE models; --",
]  # fmt: skip
LOG_LINE = re.compile(r"\d\d:\d\d:\d\d .*")


def check(output, forgeable=False):
    """Assert that an output of several lines is printable, bounded and not forged."""
    output.encode()
    assert len(output) < 2_000_000
    for line in output.split("\n"):
        categories = {unicodedata.category(character) for character in line}
        assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}, line[:200]
        assert len(line) < 60_000
    assert forgeable or not re.search(rf"^{re.escape(FORGED)}", output, re.MULTILINE)


def failure_of(text, changes):
    described = describe(ValueError(text))
    content = json.loads(json.dumps({**described, "stage": "predict"} | changes))
    return read_failure(content, list(Stage))


def frame_of(text):
    return {"file": text, "line": 1, "function": text, "text": text, "runner": False,
            "library": False}  # fmt: skip


@pytest.fixture
def log(monkeypatch):
    """What is logged, as lines of a terminal."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(run_log.LineFormatter())
    monkeypatch.setattr(run_log.logger, "handlers", [handler])
    monkeypatch.setattr(run_log.logger, "propagate", False)
    run_log.logger.setLevel(logging.DEBUG)
    return stream


def check_error(error, log, forgeable=False):
    check(error.message, forgeable)
    check(error.remedy, forgeable)
    run_log.log_verdict(error.verdict.word, error.verdict.exit_code, error.message, error.remedy)
    check_log(log)
    record = Record(environment=EnvironmentFacts("3.12", None, "0"))
    check(record.concluded(error.verdict, error.message, error.remedy).as_json())


def check_log(log):
    lines = log.getvalue().splitlines()
    check("\n".join(lines))
    assert all(LOG_LINE.fullmatch(line) for line in lines)
    verdicts = [line for line in lines if re.match(r"\d\d:\d\d:\d\d verdict", line)]
    assert not any("verdict  ok" in line[:30] for line in verdicts)


hostile = pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))


@hostile
def test_a_failure_of_the_model(text, log, tmp_path):
    model = tmp_path / "model.pkl"
    model.write_bytes(b"x")
    fields = [
        {},
        {"type": text},
        {"types": ["ImportError"], "module": text},
        {"types": ["ModuleNotFoundError", text], "module": text},
        {"attribute": text, "attribute_of": text},
        {"types": ["SystemExit"]},
        {"types": ["NotAModel"], "stage": "load"},
        {"types": ["UnpicklingError"], "stage": "load"},
        {"types": ["MemoryError"]},
        {"types": ["KeyError"], "message": f"feature {text}"},
        {"errors": [{"errno": 13, "path": text}]},
        {"errors": [{"errno": 2, "path": text}]},
        {"errors": [{"errno": 24, "path": None}]},
        {"frames": [frame_of(text)] * 20, "traceback": f"{text}\n{text}"},
    ]
    for changes in fields:
        content = failure_of(text, changes)
        run_log.log_traceback(content["traceback"])
        error = classify_failure(Failure(content, model, "live", Limits(), 1))
        check_error(error, log)


@hostile
def test_a_crash_of_the_model(text, log):
    for report in (CrashReport(None, text), CrashReport(-11, calls=(text,) * 5)):
        check_error(classify_crash(report, 1), log)


@hostile
def test_hosts_that_the_model_tried_to_reach(text, log):
    host = AttemptedHost.parse({"host": text}).host
    with pytest.raises(ModelError) as caught, attempted_hosts_in_errors(lambda: [host]):
        raise ModelError(text, text)
    check_error(caught.value, log, forgeable=True)


@hostile
def test_names_of_the_model_and_of_its_columns(text):
    loaded = LoadedModel.parse({"arity": 1, "name": text, "seconds": 0.1})
    predicted = Predicted.parse({"type": text, "rows": 1, "columns": [text], "seconds": 0.1})
    for name in (loaded.name, predicted.type, *predicted.columns):
        check(name)
        assert "\n" not in name
        assert len(name) < 1_000


@hostile
def test_predictions_that_break_the_rules(text, log):
    predicted = Predicted.parse({"type": text, "rows": 2, "columns": [text], "seconds": 0.1})
    live = ["a", "b"]
    columns = [predicted.columns[0], "c"]
    cases = [
        Predictions(live, predicted.type, 0, [], [], False, [], []),
        Predictions(live, "DataFrame", 2, columns, [], False, [], []),
        Predictions(live, "DataFrame", 2, ["p"], [text, text], True, [0.1, 0.2], []),
        Predictions(live, "DataFrame", 2, ["p"], live, True, [], [text, text]),
        Predictions([text, "b"], "DataFrame", 2, ["p"], [text, text], True, [float("nan"), 2], []),
    ]
    for predictions in cases:
        with pytest.raises(InvalidPredictions) as caught:
            submission_rules.check(predictions)
        check_error(caught.value, log)
    accepted = Predictions(live, "DataFrame", 3, columns, [*live, text], True, [0.1, 0.2, 0.3], [])
    for warning in submission_rules.warnings(accepted):
        run_log.log_step("warning", warning)
        check_log(log)


@hostile
def test_what_the_model_prints(text, log):
    output = ModelOutput(run_log.log_model_line)
    output.feed(text.encode(errors="replace") + b"\nnext\n")
    output.feed(text.encode("utf-16", errors="replace"))
    output.finish()
    check_log(log)


def inspection_of(text):
    return Inspection(
        path="model.pkl",
        size=1,
        holds=CallableSummary(text, text, [text, text]),
        pythons=Pythons((), text, ()),
        functions=1,
        references=(text, f"{text}.x"),
        main_names=(text,),
        imports={text: text},
        versions={text: text},
        features=(text,),
        data_versions=(text,),
        abilities={text: [text]},
        scanner_terms={text: [text]},
        partial=text,
    )


@hostile
def test_an_inspection(text, log, tmp_path):
    model = tmp_path / "model.pkl"
    model.write_bytes(b"x")
    inspection = replace(inspection_of(text), path=str(model))
    lines = as_text(inspection)
    check(lines)
    assert not any(line.startswith("12:00:00") for line in lines.splitlines())
    shown = json.dumps(as_json(inspection), indent=2, ensure_ascii=False)
    check(shown)
    labels = SourceLabels("model.pkl")
    for require in (
        lambda: preflight.check_compatibility(inspection, labels),
        lambda: preflight.check_columns(inspection, ["a"]),
    ):
        try:
            warnings = require()
        except Exception as error:
            check_error(error, log)
        else:
            for warning in warnings:
                check(warning)
    check_log(log)


@hostile
def test_the_record_of_a_run(text):
    record = Record(
        environment=EnvironmentFacts(text, text, text),
        message=text,
        remedy=text,
        model=ModelFacts(source=text, python=(text,)),
        delivered_to=text,
        sandbox={text: text},
        warnings=[text],
        inspection={text: [text, {text: text}]},
    )
    check(record.as_json())
    check("\n".join(json.loads(record.as_json())["warnings"]))
    again = Record.from_dict(json.loads(json.dumps(asdict(record))))
    assert again.as_json() == record.as_json()


@hostile
def test_the_reports_of_a_fleet(text, tmp_path):
    with closing(FleetLedger(tmp_path)) as ledger:
        ledger.add_models(dict.fromkeys(["a", "b"], ()))
        ledger.record_event("a", ModelState.RUNNING, worker="w")
        ledger.record_event("a", ModelState.LOST, text)
        ledger.record_event("a", ModelState.FAILED, worker="w", verdict="model_error", message=text)
        summary = FleetSummary.of(ledger)
    for width in (None, 80, 40):
        check(Screen(width).text(summary.status_parts()))
    page = render_report(text, summary, {"a": text}, ResultDirectory.read(tmp_path))
    check(page)
    assert page.count("<script") == 2


@hostile
@pytest.mark.parametrize("width", [None, 200, 80, 40])
def test_a_cell_of_a_table(text, width):
    columns = (Column("name", wraps=True), Column("state", state=True), Column("count", right=True))
    table = TextTable(columns, [(text, text, "7"), ("a", "ok", text)])
    shown = Screen(width).text([table])
    check(shown)
    assert not any(line.startswith("12:00:00") for line in shown.splitlines())


@hostile
@pytest.mark.parametrize("width", [None, 80, 40])
def test_lines_of_a_screen_and_titles_of_a_table(text, width):
    table = TextTable((Column(text), Column(text, right=True)), [("a", "b")])
    shown = Screen(width).text([text, table, f"too few eras to judge {text}"])
    check(shown)
    assert not any(line.startswith("12:00:00") for line in shown.splitlines())


@hostile
def test_a_line_of_the_display_of_a_fleet(text):
    stream = io.StringIO()
    FleetDisplay(stream).say(text)
    check(stream.getvalue())
    assert stream.getvalue().count("\n") == 1


@hostile
def test_the_registry(text):
    shown = {"time": text, "user": text, "reason": text, "tags": {"a": text}, "alias": None}
    facts = {"python": [text], "data_version": text, "scores": {}, text: {text: [text]}}
    files = {"model.pkl": {"sha256": "0" * 64, "bytes": 1}}
    content = {"number": 1, "id": text, "kind": "added", "version": 1, "files": files}
    event = json.dumps({**content, **shown, "facts": facts}).encode()
    if len(event) > MAX_EVENT_BYTES:
        with pytest.raises(ValueError, match="more than"):
            parse_event(event)
        return
    history = ModelHistory("mine", [parse_event(event)])
    parts = registry.model_parts(history)
    check(Screen(80).text(parts))
    version = registry.version_as_json(history, history.versions[1])
    check(json.dumps(version, ensure_ascii=False, indent=2))


@hostile
def test_the_gates_of_a_promotion(text, capsys):
    print(one_line(PromotionGate("run", False, text)))
    check(capsys.readouterr().out)


@hostile
def test_why_the_tree_engine_was_not_used(text):
    report = AccelerationReport.parse({"used": "library", "reasons": [text]})
    for reason in report.reasons:
        check(reason)
        assert "\n" not in reason
    facts = AccelerationFacts(used=text, reasons=(text,))
    check(Record(environment=EnvironmentFacts("3.12", None, "0"), acceleration=facts).as_json())


@hostile
def test_a_traceback_in_the_log(text, log):
    try:
        raise ModelError(text, text) from ValueError(text)
    except ModelError:
        run_log.logger.debug("", exc_info=True)
    run_log.log_step("load", text)
    run_log.log_verdict(Verdict.MODEL_ERROR.word, 20, text, text)
    check_log(log)

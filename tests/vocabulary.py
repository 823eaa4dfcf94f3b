"""Finds the words that the project's vocabulary replaces; `test_vocabulary.py` allows exceptions.

Text is compared word by word: identifiers are split at underscores and capitals, line ends and
comment marks count as spaces, so that a phrase is found wherever it is written.
"""

from __future__ import annotations

import bisect
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Term:
    """Words to avoid, as a regular expression, and what to say instead.

    `folder` limits the term to a part of the tree. A term for identifiers does not apply to tests
    and benchmarks, whose local names are free. `unless` lists words that make a use right when
    they follow it, or, if it is a single word, when it precedes.
    """

    pattern: str
    instead: str
    folder: str = ""
    identifiers_only: bool = False
    unless: str = ""


@dataclass(frozen=True)
class Hit:
    """A use of a term to avoid."""

    path: str
    line: int
    found: str
    term: Term

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: “{self.found}”; use: {self.term.instead}"


PHRASES = (
    # run, job, supervisor, model process, session
    Term("whole job", "run"),
    Term("what (?:came|comes|becomes|became|come) of", "result, verdict"),
    Term("postings?", "job, request, specification"),
    Term("the parent(?:'s)?", "the supervisor", unless="directory|folder|path|package|class"),
    Term("the child(?:'s)?", "the model process", unless="package|class|process id|directory"),
    Term("strangers?(?:')?(?:'s)?", "untrusted code"),
    Term("the process that holds the model", "the model process"),
    Term("dialogues?", "session"),
    Term("talks?|talking|talked", "communicate, session, request and response"),
    # sandbox, layer, scratch directory
    Term("confine\\w*", "sandbox; apply, restrict"),
    Term("what stands between", "sandbox"),
    Term("puts? on (?:the|every|all|its) layers?", "apply the layers"),
    Term("what a process is to be held to", "layer"),
    Term(
        "(?:own folder|folder of its own|folder of one's own)", "scratch directory, own directory"
    ),
    # limits
    Term(
        "pass(?:es|ed|ing)? (?:its|the|a|this|that|any|no) (?:\\w+ ){0,2}?limits?", "exceed a limit"
    ),
    Term("breach\\w*", "violation, exceed"),
    Term("more than is good", "limit"),
    # processes, failures
    Term("lineage", "process tree"),
    Term("all that it starts", "process tree"),
    Term("troubles?", "failure, error"),
    Term("deaths?|died|dies|dying", "crash, exit"),
    Term("where it stood", "traceback"),
    # verdict, record
    Term("endings?", "verdict, result", unless="line"),
    Term("advices?", "remedy"),
    Term("what to do about it", "remedy"),
    Term("told|tells|telling", "report, show, record, or the value's own name"),
    Term("what happened in a run", "result record"),
    # environment, engine
    Term("at hand", "available, local"),
    Term("engine that answers", "container engine"),
    # inspection
    Term("examin\\w*", "inspect"),
    Term("a pickle says about itself", "inspection"),
    Term("how many frames", "arity"),
    # fleet
    Term("agents?", "coordinator", unless="user"),
    Term("conductors?", "scheduler"),
    Term("intakes?", "preparation"),
    Term("getting models ready", "preparation"),
    Term("crews?", "worker group, placement"),
    Term("hires?|hired|hiring", "start a worker"),
    Term("machines?", "node", folder="numerai_predict/fleet/", unless="this"),
    Term("warm workers?", "worker"),
    Term("foreman|foremen", "worker actor"),
    Term("outbox\\w*", "delivery queue"),
    Term("couriers?", "delivery process"),
    Term("hand(?:s|ed|ing)? over", "deliver"),
    # storage
    Term("sinks?", "destination"),
    Term("where a file comes from", "source"),
    Term("patience", "retry policy"),
    Term("what must be remembered", "ledger"),
    # tournament, scores, training
    Term("those of others", "benchmark models, meta model"),
    Term("eras to leave out", "embargo"),
    Term("which decide nothing|that decide nothing", "holdout"),
    Term("takes? out a share", "neutralize"),
    Term("neutralis\\w*", "neutralize"),
    # Round fleet runs in examples, such as `--output-dir round-1`.
    Term("(?:output - dir|fleet status|mkdir) round", "fleet-1"),
    # By any order of the two; `gate_closed` is a verdict.
    Term("closed gates?", "blocked by a gate"),
    Term("gates? (?!closed)(?:\\w+ ){1,3}(?:open|closed?)", "a gate blocks; no gate blocks"),
    Term("gates? closes?", "a gate blocks"),
    Term("clos(?:e|es|ing) (?:the |a |all |any )?gates?", "a gate blocks"),
    Term("to practi[sc]e with", "practice"),
    Term("in place once", "promotion"),
    # metaphors
    Term("mend(?:s|ed|ing)?", "fix, repair"),
    Term("houses?|rooms?", "package, project; space"),
    Term("others'", "name whose"),
    Term("not to blame", "name the cause"),
    # waits, directories, and old or rare forms of common words
    Term("pauses|growing pause", "wait, delay"),
    Term("a folder|the folder|folders of", "directory"),
    Term("beneath", "below"),
    Term("nevertheless|all the same", "anyway"),
    Term("anew", "again"),
    Term("bars? (?:this|the|that) user", "this user may not enter"),
    Term("nobody", "no process, no one that the sentence names"),
    Term("whoever", "the user, the caller"),
)

IDENTIFIERS = (
    Term("asked|ask", "request, requested", identifiers_only=True),
    Term("orders", "configuration, request", identifiers_only=True),
    Term("words", "arguments, message, remedy", identifiers_only=True),
    Term("terms", "policy", identifiers_only=True),
    Term("tries", "attempts", identifiers_only=True),
    Term("pause", "backoff, delay", identifiers_only=True),
    Term("places?", "environment, target, path, directory", identifiers_only=True),
    Term("openings?", "placement", folder="numerai_predict/fleet/", identifiers_only=True),
    Term("rounds?", "fleet run", folder="numerai_predict/fleet/", identifiers_only=True),
    Term("recipes?", "bundle, specification", identifiers_only=True),
    Term("outcomes?", "result, verdict", identifiers_only=True),
    Term("said|hidden|taken", "a noun for the value", identifiers_only=True),
    Term("family", "process tree", folder="numerai_predict/resources/", identifiers_only=True),
    Term("here", "environment, local", identifiers_only=True),
)

# Former names of classes and functions; none may be defined under these again.
_OLD_NAMES = """
Child Death ChildDied Launched Start Inputs Call Model Order Asked Answered Failed Place Local
Container Confinement Rule When Test Watch Breach Family SharedFiles Conductor NoWorker Kind
Crew Capacity Opening Machine Cluster Foreman Posting Task Outcome WarmWorker WorkerBroken Reply
Site Intake Ready Endings Orders Outbox Busy Data Ledger Entry BadManifest Progress Display
Summary Forked Terms Patience Trouble Alongside CannotResume Sink Ticker Refused Broken Made
Findings Mark Described Window Judge Recipe Plan Stored Settings RoundFacts Rejected Choice
Taken Sources Lookup Measures Practice
ask ask_to_load ask_to_predict reporting_failures predict_many predict_in_image choose_place
error_of_failure error_of_death naming_attempts tell stop_telling silence told_before terminal
timed terms_of environment_here check_and_save require_fit warn_of_columns options_of job_of
arguments_of option_value checked add_run_deadline confine only_limits become forbid_new_ones
hide_process gaps look error_of_breach return_unused bounded folders deliver_again opening
needless hire dismiss inside command_of environment_of hear_of_deliveries wait_for_courier
places_here remember recall trouble_of sink_of all_or_nothing examine outcomes outcome listed
keeps_its_stack abilities packed put_in_place place_of try_out days_of purge_of told told_of
do_round require_gates closed explain predictions_of or_refuse ended_by read_settings
read_manifest
"""
OLD_NAMES = frozenset(_OLD_NAMES.split())

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+(?:'[a-z]*)?|[^\w\s]|\d+")


@dataclass(frozen=True)
class Text:
    """The words of a text, lower case, one space apart, with the line of each."""

    words: str
    starts: list[int]
    lines: list[int]

    def line_at(self, position: int) -> int:
        return self.lines[bisect.bisect_right(self.starts, position) - 1]


def normalized(source: str, comment_mark: str = "") -> Text:
    """Split a text into words; a comment's mark at the start of a line is dropped."""
    parts: list[str] = []
    starts: list[int] = []
    lines: list[int] = []
    position = 0
    for number, line in enumerate(source.splitlines(), 1):
        if comment_mark and line.lstrip().startswith(comment_mark):
            line = line.lstrip()[len(comment_mark) :]
        for match in _TOKEN.finditer(line):
            parts.append(match[0].lower())
            starts.append(position)
            lines.append(number)
            position += len(match[0]) + 1
    return Text(" ".join(parts), starts, lines)


@cache
def _compiled(term: Term) -> re.Pattern[str]:
    unless = f"(?!(?: '?s)? (?:{term.unless}))" if term.unless else ""
    before = f"(?<!{term.unless} )" if term.unless and "|" not in term.unless else ""
    return re.compile(f"(?<![\\w'-]){before}(?:{term.pattern})(?![\\w']){unless}")


def hits_in(path: str, source: str) -> Iterator[Hit]:
    """Every use of a term in a file."""
    terms = PHRASES if path.startswith(("tests/", "bench/")) else PHRASES + IDENTIFIERS
    applicable = [term for term in terms if path.startswith(term.folder)]
    text = normalized(source, "" if path.endswith(".md") else "#")
    for term in applicable:
        if not term.identifiers_only:
            for match in _compiled(term).finditer(text.words):
                yield Hit(path, text.line_at(match.start()), match[0], term)
    if path.endswith(".py"):
        names = [term for term in applicable if term.identifiers_only]
        yield from _identifier_hits(path, source, names)


def _identifier_hits(path: str, source: str, terms: list[Term]) -> Iterator[Hit]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.NAME or keyword.iskeyword(token.string):
            continue
        words = normalized(token.string).words
        for term in terms:
            if re.fullmatch(f"(?:{term.pattern})", words):
                yield Hit(path, token.start[0], token.string, term)


def files_in(root: Path) -> list[str]:
    """The files whose language is checked, relative to the root of the checkout."""
    kinds = {".py", ".md", ".j2", ".toml", ".yaml", ".yml"}
    folders = ("numerai_predict", "tests", "docs", "bench", "generate", "images", "deploy", "shell")
    found = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    found += [root / name for name in ("predict.py", "README.md", "CONTRIBUTING.md", "SECURITY.md")]
    found += [root / "Makefile", root / ".ci/run", root / "pyproject.toml"]
    found += (root / ".github").rglob("*.y*ml")
    return sorted(
        path.relative_to(root).as_posix()
        for path in found
        if path.exists() and (path.suffix in kinds or not path.suffix)
        if not {"node_modules", "vendored"} & set(path.parts)
    )

"""The report of an inspection, as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from numerai_predict.contract.foreign_text import inert, one_line
from numerai_predict.contract.limits import format_size
from numerai_predict.inspection.bundle_manifest import BundleManifest
from numerai_predict.inspection.compatibility import choose_image, compatibilities, unknown_modules
from numerai_predict.inspection.data_version import probable_version
from numerai_predict.inspection.images import Image, is_standard
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.inspection.remedies import next_steps
from numerai_predict.terminal.screen import Part, Screen
from numerai_predict.terminal.table import Column, TextTable

_MAX_SHOWN = 12
_MAX_SHOWN_OF_A_TERM = 4
_RESULT_COLUMNS = (Column(""), Column("", wraps=True))
_IMAGE_COLUMNS = (Column("image"), Column("runs", state=True), Column("because", wraps=True))
# Terms that nearly every model has; `--json` lists their names.
_UNREMARKABLE_TERMS = ("picklescan innocuous", "picklescan suspicious")


def as_text(inspection: Inspection, bundle: BundleManifest | None = None) -> str:
    """The parts of the report as plain text."""
    return Screen().text(as_parts(inspection, bundle))


def as_parts(
    inspection: Inspection,
    bundle: BundleManifest | None = None,
    command: Callable[[Image, str], str] = Image.command,
) -> list[Part]:
    """The results, a table of the images, remedies and the command that runs the pickle.

    `bundle` is the manifest of the pickle if it has one; `command` makes the last part from the
    image and the path.
    """
    results = [
        (each.image.name, each.level.label, "; ".join(each.reasons))
        for each in compatibilities(inspection)
    ]
    return [
        TextTable(_RESULT_COLUMNS, [row for row in _rows(inspection, bundle) if row[1]]),
        "",
        TextTable(_IMAGE_COLUMNS, results),
        "",
        *map(one_line, next_steps(inspection, command)),
    ]


def as_json(inspection: Inspection, bundle: BundleManifest | None = None) -> dict[str, Any]:
    """The report for JSON: all results, all images and the command that runs the pickle."""
    stated = _stated_version(bundle)
    guessed = probable_version(inspection.features, inspection.data_versions)
    chosen = choose_image(inspection)
    facts = asdict(inspection)
    legal = inspection.pythons.legal
    facts["pythons"] = {**facts["pythons"], "legal": None if legal is None else list(legal)}
    report = {
        **facts,
        "own_modules": unknown_modules(inspection),
        "data_version": stated,
        "probable_data_version": None if stated else guessed,
        "images": [
            {
                "image": each.image.name,
                "python": each.image.python,
                "flavour": each.image.flavour,
                "mark": each.level.name.lower(),
                "reasons": list(each.reasons),
            }
            for each in compatibilities(inspection)
        ],
        "image": chosen.image.name if chosen else None,
        "command": chosen.image.command(inspection.path) if chosen else None,
    }
    return {name: inert(value) for name, value in report.items()}


def _stated_version(bundle: BundleManifest | None) -> str | None:
    return bundle.data_version if bundle else None


def _data_text(inspection: Inspection, bundle: BundleManifest | None) -> str:
    """The data version that the manifest states, else the probable one."""
    if bundle is not None and bundle.data_version:
        return f"{bundle.data_version}, as {bundle.path.name} states"
    version = probable_version(inspection.features, inspection.data_versions)
    return f"probably {version}" if version else ""


def _rows(inspection: Inspection, bundle: BundleManifest | None) -> list[tuple[str, str]]:
    modules = dict.fromkeys(
        module.partition(".")[0] for module in inspection.references if not is_standard(module)
    )
    imports = [
        f"{module} (in {name})"
        for module, name in inspection.imports.items()
        if not is_standard(module)
    ]
    versions = [f"{module} {version}" for module, version in inspection.versions.items()]
    return [
        ("pickle", f"{inspection.path}, {format_size(inspection.size)}"),
        ("holds", str(inspection.holds)),
        ("made by", f"Python {inspection.pythons}"),
        ("needs", _shorten(list(modules))),
        ("imports", _shorten(imports)),
        ("made with", _shorten(versions)),
        ("features", f"{len(inspection.features):,} named" if inspection.features else ""),
        ("data", _data_text(inspection, bundle)),
        ("may use", _abilities_text(inspection)),
        ("scanners", _scanner_text(inspection)),
        ("note", inspection.partial or ""),
    ]


def _abilities_text(inspection: Inspection) -> str:
    found = [f"{what} ({', '.join(by)})" for what, by in inspection.abilities.items()]
    return f"{'; '.join(found)}: for information only; most models do" if found else ""


def _scanner_text(inspection: Inspection) -> str:
    found = [
        f"{term}: {_shorten(names, _MAX_SHOWN_OF_A_TERM)}"
        for term, names in inspection.scanner_terms.items()
        if term not in _UNREMARKABLE_TERMS
    ]
    return f"{'; '.join(found)}: their terms, for information only" if found else ""


def _shorten(items: list[str], most: int = _MAX_SHOWN) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more

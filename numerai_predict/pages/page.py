"""Renders a page: one HTML file with its style, its scripts and its data, which loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from numerai_predict.pages import formats

_STYLES = ("pages/static/style.css",)
_SCRIPTS = ("pages/static/page.js",)
# What would end a script or begin a comment in it, as escapes of JSON.
_UNSAFE_IN_SCRIPT = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


@dataclass(frozen=True)
class Page:
    """What a page consists of besides the values of its template.

    Attributes:
        title: title of the document.
        scripts: scripts of this page, after those of every page; paths in the package.
        styles: style sheets of this page, after that of every page; paths in the package.
        data: JSON-like data that the scripts read.
        refresh_seconds: how often the page reloads itself, `None` for never.
    """

    title: str
    scripts: Sequence[str] = ()
    styles: Sequence[str] = ()
    data: dict[str, Any] = field(default_factory=dict)
    refresh_seconds: int | None = None


def render_page(template: str, page: Page, **values: Any) -> str:
    """Render a template, a path in the package, that extends `pages/templates/base.html.j2`.

    The same values give the same bytes. Every value is made printable and escaped: names and notes
    may come from a model, a file or a server.
    """
    style = "\n".join(map(read_asset, (*_STYLES, *page.styles)))
    script = "\n".join(map(read_asset, (*_SCRIPTS, *page.scripts)))
    return (
        _environment()
        .get_template(template)
        .render(
            page=page,
            policy=_content_security_policy(style, script),
            style=Markup(style),  # noqa: S704 - from the package
            script=Markup(script),  # noqa: S704 - from the package
            data=Markup(_as_script(page.data)),  # noqa: S704 - `<`, `>` and `&` are escaped
            **values,
        )
    )


def read_asset(path: str) -> str:
    """The text of a file of this package, such as `pages/static/page.js`."""
    return files("numerai_predict").joinpath(*path.split("/")).read_text("utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=formats.format_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(read_asset),
    )
    environment.filters.update(formats.FILTERS)
    return environment


def _content_security_policy(style: str, script: str) -> str:
    """Only this style sheet and this script apply; nothing is requested and no form is sent."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _as_script(data: dict[str, Any]) -> str:
    """The data as JSON that cannot end the script element around it."""
    text = json.dumps(_printable(data), allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE_IN_SCRIPT)


def _printable(data: Any) -> Any:
    """A copy of JSON-like data in which every text is printable."""
    if isinstance(data, Mapping):
        return {formats.format_printable(key): _printable(each) for key, each in data.items()}
    if isinstance(data, list | tuple):
        return [_printable(each) for each in data]
    return formats.format_printable(data)

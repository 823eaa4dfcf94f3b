"""A page is one file that loads nothing, and shows whatever text it is given as text."""

import base64
import hashlib
import json
import re

import pytest

from numerai_predict.pages import formats
from numerai_predict.pages.page import Page, read_asset, render_page

SHELL = "pages/templates/base.html.j2"


def test_the_policy_allows_the_page_s_own_style_and_script_alone():
    page = render_page(SHELL, Page("title", scripts=["pages/static/table.js"]))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src &#39;none&#39;; ")
    for kind, tag in (("style-src", "<style>"), ("script-src", "<script>")):
        text = page.partition(tag)[2].partition(tag.replace("<", "</"))[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} &#39;sha256-{digest}&#39;" in policy
    assert "unsafe" not in policy


def test_data_cannot_end_their_element():
    data = {"</script>": ["<!--", "]]>", "&amp;", "\u2028"]}
    page = render_page(SHELL, Page("title", data=data))
    text = page.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(text) == {"</script>": ["<!--", "]]>", "&amp;", r"\u2028"]}
    assert not re.search(r"[<>&\u2028]", text)


def test_the_title_is_escaped():
    assert "<title>&lt;b&gt;</title>" in render_page(SHELL, Page("<b>"))


def test_a_page_that_is_refreshed_says_how_often():
    assert '<body data-refresh="5">' in render_page(SHELL, Page("title", refresh_seconds=5))
    assert "<body>" in render_page(SHELL, Page("title"))


@pytest.mark.parametrize("name", ["page", "table", "timeline"])
def test_no_script_makes_markup_of_text(name):
    script = read_asset(f"pages/static/{name}.js")
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|</script|fetch\("
    assert not re.search(forbidden, script)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.format_number(-0.5, 1), "\N{MINUS SIGN}0.5"),
        (formats.format_number(float("nan")), formats.ABSENT),
        (formats.format_number(12345, 0), "12,345"),
        (formats.format_interval((-1, 2), 1), "\N{MINUS SIGN}1.0 to 2.0"),
        (formats.format_interval(None), formats.ABSENT),
        (formats.format_seconds(2.5), "2.50 s"),
        (formats.format_seconds(3725), "1:02:05"),
        (formats.format_seconds(None), formats.ABSENT),
        (formats.format_bytes(2**30), "1.0 GiB"),
        (formats.format_utc(0.0), "1970-01-01 00:00:00Z"),
        (formats.format_text(""), formats.ABSENT),
    ],
)
def test_values_have_one_format(text, expected):
    assert text == expected

"""No presigned URL is ever shown whole."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerai_predict.contract.redaction import redact, redact_text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("https://b.s3.amazonaws.com/m.pkl?X-Amz-Signature=SECRET", "https://b.s3.amazonaws.com/m.pkl"),
        ("https://user:SECRET@host:8443/m.pkl", "https://host:8443/m.pkl"),
        ("https://SECRET@host/m.pkl", "https://host/m.pkl"),
        ("https://host/m.pkl#SECRET", "https://host/m.pkl"),
        ("https://host/m.pkl?SECRET#SECRET?SECRET", "https://host/m.pkl"),
        ("HTTPS://host/m.pkl?SECRET", "https://host/m.pkl"),
        ("s3://key:SECRET@bucket/m.pkl?SECRET", "s3://bucket/m.pkl"),
        ("https://host?SECRET", "https://host"),
        ("https://u:SECRET@[::1/m.pkl?SECRET", "https://[::1/m.pkl"),
    ],
)  # fmt: skip
def test_a_url_is_shown_without_its_secrets(source, shown):
    assert redact(source) == shown


@pytest.mark.parametrize("path", ["model.pkl", "/data/a?b#c.pkl", "v5.2/live.parquet", "a@b", ""])
def test_a_path_is_shown_as_it_is(path):
    assert redact(path) == path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("get https://h/a?SECRET failed", "get https://h/a failed"),
        ("(https://h/a?x=SECRET&y=SECRET) twice https://i/b#SECRET", None),
        ("url='https://h/a?SECRET', done", "url='https://h/a', done"),
        ('<Resource>https://u:SECRET@h/a?SECRET</Resource>', "<Resource>https://h/a</Resource>"),
        ("line one\nhttp://h/a?SECRET\nline three", "line one\nhttp://h/a\nline three"),
        ("nothing to hide?", "nothing to hide?"),
    ],
)  # fmt: skip
def test_urls_within_a_text_are_shown_without_their_secrets(text, shown):
    assert "SECRET" not in redact_text(text)
    assert shown is None or redact_text(text) == shown


QUERY = st.text(string.ascii_letters + string.digits + "-._~:/?#[]@!$&()*+,;=%", max_size=40)


@given(QUERY, st.sampled_from(["http", "https", "s3", "HTTP"]), QUERY)
def test_no_query_and_no_fragment_survives(before, scheme, after):
    shown = redact_text(f"asked {scheme}://host/a?{before}SECRET{after} in vain")
    assert "SECRET" not in shown
    assert shown.startswith("asked ")
    assert shown.endswith(" in vain")

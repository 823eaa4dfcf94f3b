"""Sizes and seconds as users write them."""

import pytest

from numerai_predict.contract.limits import (
    Limits,
    format_clock,
    format_size,
    parse_seconds,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4g", 4 * 1024**3),
        ("4G", 4 * 1024**3),
        ("512m", 512 * 1024**2),
        ("512M", 512 * 1024**2),
        ("512mb", 512 * 1024**2),
        ("1.5GiB", 3 * 1024**3 // 2),
        (" 2 g ", 2 * 1024**3),
        ("100k", 100 * 1024),
        ("1t", 1024**4),
        ("123456", 123456),
        ("17b", 17),
    ],
)
def test_a_size_is_read_as_docker_reads_it(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["none", "None", " NONE "])
def test_none_lifts_a_limit(text):
    assert parse_size(text) is None
    assert parse_seconds(text) is None


@pytest.mark.parametrize(
    "text", ["", "g", "4x", "-4g", "0", "0g", "0.1", "4gg", "4 g b", "1e9", "nan", "inf", "4,5g"]
)
def test_what_is_no_size_is_refused_and_shown(text):
    with pytest.raises(ValueError, match="expected a size like 4g") as refused:
        parse_size(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(("text", "seconds"), [("600", 600.0), ("0.5", 0.5), (" 2 ", 2.0)])
def test_seconds_are_a_positive_number(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "inf", "nan", "ten", "10s", "1:30"])
def test_what_is_no_positive_finite_number_of_seconds_is_refused(text):
    with pytest.raises(ValueError, match="expected seconds like 600"):
        parse_seconds(text)


def test_the_default_limits_are_the_hosted_ones():
    assert Limits() == Limits(memory_bytes=4 * 1024**3, seconds=600.0)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (17, "17 bytes"),
        (12.3 * 1024, "12.3 KiB"),
        (512 * 1024**2, "512.0 MiB"),
        (4 * 1024**3, "4.0 GiB"),
    ],
)
def test_a_size_is_shown_in_the_unit_that_suits_it(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (3723, "1:02:03")]
)
def test_a_span_is_shown_as_on_a_clock(seconds, text):
    assert format_clock(seconds) == text

"""SVG text: foreign text is made printable and bounded, our own paths are left whole."""

from numerai_predict.pages.svg import element


def test_a_path_of_many_points_is_whole():
    path = "M0 0" + "L1.5 2.5" * 10_000
    assert f'd="{path}"' in element("path", d=path)


def test_text_that_is_not_printable_is_escaped_and_cut():
    text = "\x1b[31m" + "\u202e" * 10_000
    drawn = element("text", text, aria_label=text)
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn
    assert len(drawn) < 10_000

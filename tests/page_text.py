"""What a reader sees of a page, and whether foreign text in it is inert."""

import html
import re
import unicodedata

UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def is_inert(page, most_bytes=4_000_000):
    """Whether a page has no invisible or reordering character, outside of its own scripts too."""
    text = page.replace("\n", "")
    own = "".join(re.findall(r"<(?:script|style)>.*?</(?:script|style)>", text, re.DOTALL))
    shown = html.unescape(text.replace(own, ""))
    found = {character for character in shown if unicodedata.category(character) in UNPRINTABLE}
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    escapes = set(re.findall(r"(?<!\\)(?:\\\\)*\\u(202[89a-e]|206[6-9]|001b|d[89a-f]..)", data[1]))
    return not found and not escapes and len(page.encode()) < most_bytes

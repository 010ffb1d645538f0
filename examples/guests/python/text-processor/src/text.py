"""The operations."""

import re

# Unicode's property White_Space; `str.split` uses a different set.
_WORD = re.compile("[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


def word_count(text: str) -> dict:
    words = _WORD.findall(text)
    return {"count": len(words), "unique": len(set(words))}


def reverse(text: str) -> dict:
    """Reverses by Unicode scalar value, so a combining mark ends up before its letter."""
    return {"text": text[::-1]}


def statistics(text: str) -> dict:
    words = _WORD.findall(text)
    letters = sum(map(len, words))
    return {
        "chars": len(text),
        "words": len(words),
        "lines": text.count("\n") + (text != "" and not text.endswith("\n")),
        "bytes": len(text.encode()),
        "average-word-length": letters / len(words) if words else 0.0,
        "longest-word": max(words, key=len, default=""),
    }


OPERATIONS = {"word-count": word_count, "reverse": reverse, "statistics": statistics}

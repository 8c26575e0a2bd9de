"""Sound: text that any file can hold, whatever a module is called."""

from __future__ import annotations


def sound(text: str) -> str:
    r"""The text, with what UTF-8 has no bytes for, a lone surrogate, spelt out: "\ud800"."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

"""LaTeX in a page becomes MathML, which browsers draw by themselves: no script and no font is fetched."""

from __future__ import annotations

import re
from html import unescape

_MARKED = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def drawn(html: str) -> str:
    """The page with every formula that arithmatex marked as MathML."""
    return _MARKED.sub(_mathml, html)


def _mathml(found: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    element: str = convert(unescape(found[3]).strip(), display="block" if found[2] == "[" else "inline")
    return f'<{found[1]} class="formula">{element}</{found[1]}>'

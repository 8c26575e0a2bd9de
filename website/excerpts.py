"""Parts of README.md that are pages of the site too, so that they are written once."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_MARK = re.compile(r"^<!-- README: (.+?) -->$", re.MULTILINE)
# In the repository the reports stand beside the docs; on the site, below them.
_REPORTS = re.compile(r"(\]\((?:\.\./)*)\.\./reports/")


def section(heading: str) -> str:
    """What stands under a second-level heading of README.md.

    Raises:
        KeyError: it has no such heading.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise KeyError(f"README.md has no heading '## {heading}'")
    return found[1].strip()


def filled(markdown: str) -> str:
    """A page with the sections that it asks for, and its links to reports as the site has them."""
    return _REPORTS.sub(r"\1reports/", _MARK.sub(lambda mark: section(mark[1]), markdown))

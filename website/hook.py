"""Events of mkdocs: pages out of the code are added, README's sections filled in, formulas drawn."""

from __future__ import annotations

import posixpath
from typing import Any

from mkdocs.structure.files import File

from website import excerpts, mathematics, pages


def on_config(config: Any) -> Any:
    """Fill in what the navigation leaves to the code."""
    config.nav = _filled(config.nav, pages.navigation())
    return config


def _filled(entry: Any, lists: Any) -> Any:
    if isinstance(entry, str):
        return lists.get(entry, entry)
    if isinstance(entry, dict):
        return {title: _filled(each, lists) for title, each in entry.items()}
    found = [_filled(each, lists) for each in entry]
    return [each for one in found for each in (one if isinstance(one, list) else [one])]


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made, and the reports."""
    for path, text in pages.pages():
        files.append(File.generated(config, path, content=text))
    for path, file in pages.reports():
        files.append(File.generated(config, path, abs_src_path=str(file)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """README's sections stand where they are asked for; pages of wide tables have the room of their contents."""
    if page.file.src_uri.startswith(("reports/", "ledger", "compared")):
        page.meta["hide"] = ["toc"]
    return excerpts.filled(markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Formulas are drawn."""
    return mathematics.drawn(html)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Nothing is fetched: what the theme would take from elsewhere to search on the disk is a file of the site."""
    own = posixpath.relpath("worker_from_disk.js", posixpath.dirname(page.url) or ".")
    return output.replace("https://unpkg.com/iframe-worker/shim", own)


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for the page of what is not found."""
    return output_content.replace("https://unpkg.com/iframe-worker/shim", "worker_from_disk.js")

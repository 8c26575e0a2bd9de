"""The page: audits of one or several models as one file of HTML that needs no network and no other file.

What can be said without a script stands in the HTML: summary, score, findings, comparison, environment. Scripts draw
the modules and the roofline and list the operators, from one block of JSON. Only the page's own scripts and styles may
run, by their hashes (Content Security Policy), so that nothing that a model names could run even if it got through.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources

from mac_profiler import __version__
from mac_profiler.audited import Audited, names_of
from mac_profiler.measurement import Scalar
from mac_profiler.page.closing import comparison, conventions, environments
from mac_profiler.page.markup import Html, embedded, join, tag
from mac_profiler.page.model_section import model_section
from mac_profiler.page.records import METRICS, OF_MODULE, OF_OPERATOR, columns, of_model

# In the order in which they are read.
SCRIPTS = ("units.js", "listing.js", "icicle.js", "roofline.js", "start.js")


def render_page(audits: Sequence[Audited], environment: Mapping[str, Scalar]) -> str:
    """The whole file.

    Args:
        audits: of the models, in the order in which they are shown; at least one.
        environment: the machine that it was made on, and its versions.
    """
    names = names_of(audits)
    several = len(audits) > 1
    script = "(() => {\n'use strict';\n" + "\n".join(map(_asset, SCRIPTS)) + "\n})();"
    style = _asset("page.css")
    data = {
        "columns": columns(OF_OPERATOR),
        "moduleColumns": columns(OF_MODULE),
        "metrics": list(METRICS),
        "models": [of_model(each.prediction, name) for each, name in zip(audits, names, strict=True)],
    }
    links = [("comparison", "Comparison")] if several else []
    links += [(f"model-{i}", name) for i, name in enumerate(names)]
    links += [("conventions", "Conventions"), ("environment", "Environment")]
    body = join(
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag(
            "header",
            tag("div", tag("h1", "macprof report"), tag("p", ", ".join(names), class_="subject"), class_="heading"),
            tag("button", "Dark theme", type="button", id="theme", aria_pressed="false", hidden=True),
            tag(
                "nav",
                tag("ul", [tag("li", tag("a", text, href=f"#{place}")) for place, text in links]),
                aria_label="Sections",
            ),
        ),
        tag(
            "main",
            tag("noscript", tag("p", "The charts and the tables of operators need JavaScript.", class_="warning")),
            comparison(audits, names) if several else None,
            [model_section(each, names[i], i) for i, each in enumerate(audits)],
            conventions(),
            environments(audits, environment),
            id="content",
            tabindex=-1,
        ),
        tag("footer", tag("p", f"Made by macprof {__version__}, {environment.get('date', '')}")),
        tag("script", embedded(data), type="application/json", id="data"),
        tag("script", Html(script)),
    )
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("title", f"macprof: {', '.join(names)}"),
        tag("style", Html(style)),
    )
    return f'<!doctype html>\n<html lang="en" class="no-script">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

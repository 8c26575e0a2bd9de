"""SARIF: a log of version 2.1.0, which code scanning services and editors read.

A finding is one result, for it is one thing to mend. GitHub shows the first of a result's `locations` only, so there is
one; the other places are `relatedLocations`, which GitHub shows where the message links to them.

GitHub refuses the whole log for one result without a file. Where none is known, as for a budget, the model stands for
it: the file that its name begins with, or else a file of its name, which a viewer shows as missing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from mac_profiler.document import Document, Screen
from mac_profiler.notices import known_first, located, overrun, sentence, sound

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {"info": "note", "warning": "warning", "error": "error"}
_MEASURES = ("measured", "limit", "metric", "share", "seconds", "accesses", "count", "confidence", "safe", "gain")
# GitHub shows no more locations of a result than these; `properties.places` has them all.
_MOST_RELATED = 100
# A message with more links than these is no message; what is left out is counted.
_MOST_LINKS = 10
# GitHub takes no longer descriptions.
_LONGEST = 1024
_BUDGET = {
    "code": "budget",
    "name": "budget-exceeded",
    "summary": "The model costs more than its budget allows.",
    "manual": "The limit of a figure of the whole model is exceeded. Make the model cheaper, or raise the limit.",
}


def render(document: Document, screen: Screen) -> str:
    """One run, with a rule descriptor a rule that was applied and a result a finding or exceeded budget."""
    return json.dumps(_log(sound(document.data())), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _log(data: Mapping[str, Any]) -> Mapping[str, Any]:
    rules = [*data["rules"], *([_BUDGET] if data["budget"] else [])]
    driver = {"name": "macprof", "version": str(data["tool_version"]), "rules": [_descriptor(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        # GitHub keeps the last log of each id: without one, the next model's findings would replace this model's.
        "automationDetails": {"id": f"macprof/{data['model']}/"},
        "results": list(_results(data, {rule["code"]: index for index, rule in enumerate(rules)})),
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    manual = rule["manual"] or rule["summary"]
    tags = ["efficiency", *filter(None, [rule.get("guideline")])]
    return {
        "id": rule["code"],
        "name": "".join(word[:1].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", rule["name"])),
        "shortDescription": {"text": rule["summary"][:_LONGEST]},
        "fullDescription": {"text": _opening(manual)[:_LONGEST]},
        "help": {"text": manual, "markdown": manual},
        "properties": {"tags": tags},
    }


def _opening(manual: str) -> str:
    """The first paragraph below the heading, or the heading where it stands alone."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", manual.strip())]
    return paragraphs[min(1, len(paragraphs) - 1)]


def _results(data: Mapping[str, Any], indexes: Mapping[str, int]) -> Iterator[Mapping[str, Any]]:
    model, seen = data["model"], dict[str, int]()
    for finding in data["findings"]:
        first, *others = known_first(finding["places"])
        linked = [place for place in others if located(place["source"])[0]][:_MOST_RELATED]
        yield {
            "ruleId": finding["code"],
            **({"ruleIndex": indexes[finding["code"]]} if finding["code"] in indexes else {}),
            "level": _LEVELS[finding["severity"]],
            "message": {"text": _message(finding, linked, len(others), model)},
            "locations": [_location(first, model)],
            "relatedLocations": [{"id": number, **_location(place, model)} for number, place in enumerate(linked, 1)],
            "partialFingerprints": _fingerprint((model, finding["code"], finding["places"][0]["path"]), seen),
            "properties": {key: finding[key] for key in _MEASURES} | {"places": finding["places"]},
        }
    for item in data["budget"]:
        if item["exceeded"]:
            yield {
                "ruleId": _BUDGET["code"],
                "ruleIndex": indexes[_BUDGET["code"]],
                "level": "error",
                "message": {"text": _escaped(f"{model}: {overrun(item)}")},
                "locations": [_location({"path": "", "source": ""}, model)],
                "partialFingerprints": _fingerprint((model, _BUDGET["code"], item["figure"]), seen),
                "properties": {"measured": item["found"], "limit": item["limit"], "metric": item["figure"]},
            }


def _message(finding: Mapping[str, Any], linked: list[Mapping[str, Any]], others: int, model: str) -> str:
    """What is wrong, then the remedy, then links to the other places, by the numbers of the related locations."""
    said = [_escaped(sentence(finding[key])) for key in ("message", "remedy")]
    links = [
        f"[{_link_text(place['path'] or model)}]({number})" for number, place in enumerate(linked[:_MOST_LINKS], 1)
    ]
    more = others - len(links)
    if others:
        said.append(f"Also at {' and '.join(filter(None, [', '.join(links), f'{more} more' if more else '']))}.")
    return " ".join(filter(None, said))


def _escaped(text: str) -> str:
    # "](" would begin a link's target.
    return _braced(text).replace("](", "] (")


def _link_text(text: str) -> str:
    return re.sub(r"([][\\])", r"\\\1", _braced(text))


def _braced(text: str) -> str:
    # A single brace is a placeholder's.
    return text.replace("{", "{{").replace("}", "}}")


def _location(place: Mapping[str, Any], model: str) -> dict[str, Any]:
    file, line = located(place["source"])
    return {
        "physicalLocation": {
            "artifactLocation": _artifact(file or _stand_in(model)),
            # GitHub asks for a line; the first one stands for a file as a whole.
            "region": {"startLine": line or 1},
        },
        "logicalLocations": [{"fullyQualifiedName": place["path"] or model, "kind": "module"}],
    }


def _stand_in(model: str) -> str:
    """The file of "nets/model.py:build", or the name of a model that was named otherwise."""
    return re.sub(r"(?<=\.py):[^/]*$", "", model) or "model"


def _artifact(file: str) -> Mapping[str, str]:
    path = file.replace(os.sep, "/")
    if PurePath(file).is_absolute():
        # On Windows a drive has a colon, which is no part of a scheme here.
        return {"uri": f"file:///{quote(path.lstrip('/'), safe='/:')}"}
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _fingerprint(names: Iterable[str], seen: dict[str, int]) -> Mapping[str, str]:
    """What tells a result from others, whatever lines move; the second of the same names is numbered 2.

    The name is not GitHub's "primaryLocationLineHash", which GitHub computes itself and warns about where it differs.
    """
    digest = sha256("\0".join(names).encode()).hexdigest()[:32]
    seen[digest] = seen.get(digest, 0) + 1
    return {"macprofFinding/v1": f"{digest}:{seen[digest]}"}

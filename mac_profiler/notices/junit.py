"""JUnit: XML that test runners write and CI servers read; a rule that was applied is a test case.

The elements are those of Jenkins' junit-10 schema, with the attributes that Ant's readers look for. A case fails once,
however many findings it has, so that the counts are counts of cases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mac_profiler.document import Document, Screen
from mac_profiler.notices import overrun, sentence, sound

# All that XML 1.0 cannot hold, and the carriage return, which a parser reads as a line feed.
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(document: Document, screen: Screen) -> str:
    """One suite, named after the model: a case a rule, then a case a figure of the budget."""
    data = sound(document.data())
    cases = [*_rules(data), *_budget(data)]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        "time": "0",
    }
    root = Element("testsuites", {"name": "macprof", **counts})
    suite = SubElement(root, "testsuite", {"name": _legal(data["model"]), **counts, "skipped": "0"})
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", {"name": "macprof", "value": _legal(str(data["tool_version"]))})
    suite.extend(cases)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _rules(data: Mapping[str, Any]) -> Iterator[Element]:
    names = {thing["code"]: thing["name"] for thing in (*data["rules"], *data["findings"])}
    for code, name in names.items():
        case = _case(data["model"], f"{code} {name}")
        notes = []
        for finding in data["findings"]:
            if finding["code"] != code:
                continue
            if finding["severity"] == "info":
                notes.append(f"{_said(finding)}\n{_places(finding, data['model'])}")
            else:
                _fail(case, finding["severity"], _said(finding), _places(finding, data["model"]))
        if notes:
            SubElement(case, "system-out").text = _legal("\n\n".join(notes))
        yield case


def _budget(data: Mapping[str, Any]) -> Iterator[Element]:
    for item in data["budget"]:
        case = _case(data["model"], f"budget {item['figure']}")
        if item["exceeded"]:
            _fail(case, "error", overrun(item), overrun(item))
        yield case


def _case(model: str, name: str) -> Element:
    return Element("testcase", {"classname": _legal(model), "name": _legal(name), "time": "0"})


def _fail(case: Element, severity: str, message: str, text: str) -> None:
    SubElement(case, "failure", {"type": severity, "message": _legal(message)}).text = _legal(text)


def _said(finding: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (sentence(finding["message"]), sentence(finding["remedy"]))))


def _places(finding: Mapping[str, Any], model: str) -> str:
    return "\n".join(f"{place['path'] or model}  {place['source']}".rstrip() for place in finding["places"])


def _legal(text: str) -> str:
    r"""The text with what XML cannot hold spelt out: "\x1b"."""
    return _ILLEGAL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)

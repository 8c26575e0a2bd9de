"""What is written for other tools: each format is read back by its own rules, whatever the names hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker, ValidationError

from mac_profiler.document import Document, Screen
from mac_profiler.errors import InvalidInput
from mac_profiler.finding import SEVERITIES, Finding, Gain, Place
from mac_profiler.notices import formats, located, render

FINDING = Finding(
    "G101", "unequal-channel-width", "warning", "high", "64 channels in, 256 out", 1.6, 1.2, "accesses by the least",
    0.18, 0.002, 40_000, "Make them equal", False,
    (Place("stage2.conv", "nets/model.py:41"), Place("stage3.conv", "nets/model.py:41"), Place("head", "")),
)  # fmt: skip
NOTE = replace(FINDING, code="G401", name="many-elementwise", severity="info", places=(Place("act", ""),))
LIBRARY = Place("conv1", "/usr/lib/python3/site-packages/torchvision/models/resnet.py:197")
OVER = {"figure": "mult_adds", "limit": 150_000_000, "found": 201_000_000, "exceeded": True}
KEPT = {"figure": "parameters", "limit": 3_000_000, "found": 2_300_000, "exceeded": False}

NASTY = [
    "\0", "\x1b[31m", "\r", "\n", "\r\n", "\t", "\x85", "\u2028", "\ufffe", "\uffff", "\ud800", "\udcff", "\U0001f600",
    "é", '"', "'", "<", ">", "&", "]]>", "<!--", "&#0;", "%", "%0A", "%25", "::", ":", ",", "=", "::error::", "{", "}",
    "{0}", "[", "](", "](1)", "\\", "/", "//", "..", "#", "?", ":41", ":0", " ",
]  # fmt: skip
HOSTILE = st.lists(st.one_of(st.sampled_from(NASTY), st.characters()), max_size=8).map("".join)
PLACES = st.lists(st.builds(Place, HOSTILE, HOSTILE), min_size=1, max_size=14).map(tuple)
FINDINGS = st.builds(
    Finding,
    HOSTILE, HOSTILE, st.sampled_from(SEVERITIES), st.just("low"), HOSTILE, st.floats(), st.floats(), HOSTILE,
    st.floats(), st.floats(), st.integers(), HOSTILE, st.booleans(), PLACES,
    st.none() | st.builds(Gain, HOSTILE, st.floats(), st.floats(), st.floats(), st.floats(), st.floats(), HOSTILE),
)  # fmt: skip
HOSTILE_RULES = st.lists(
    st.fixed_dictionaries(dict.fromkeys(("code", "name", "summary", "manual", "guideline"), HOSTILE)),
    max_size=2,
    unique_by=lambda rule: held(rule["code"]),
)


def rule(code: str = "G101", name: str = "unequal-channel-width") -> dict[str, str]:
    manual = f"What {code} finds.\n\nWhy it matters\nto a network.\n\nAnd more."
    return {"code": code, "name": name, "summary": f"What {code} finds.", "manual": manual, "guideline": code[:2]}


def document(
    *findings: Finding, rules: list[dict[str, str]] | None = None, budget: tuple[Any, ...] = (), model: str = "net"
) -> Document:
    data = {
        "schema_version": 1,
        "tool_version": "0.1.0",
        "model": model,
        "inputs": [[1, 3, 224, 224]],
        "score": 41.2,
        "findings": [finding.as_json() for finding in findings],
        "rules": [rule(), rule("G401", "many-elementwise"), rule("G201", "many-groups")] if rules is None else rules,
        "budget": list(budget),
        "suppressed": [],
    }
    return Document(model, (), lambda: data, {})


def show(name: str, *findings: Finding, **given: Any) -> str:
    return render(document(*findings, **given), name, Screen())


def held(text: str) -> str:
    """What a file in UTF-8 can hold of a text."""
    return "".join(f"\\u{ord(letter):04x}" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


# ---------------------------------------------------------------------------------------------------------------- room


def test_the_formats_are_the_files_of_the_room() -> None:
    assert formats() == ["github", "junit", "sarif"]


def test_an_unknown_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"'sarfi'\. Did you mean 'sarif'\? The formats are github, junit, sarif\."):
        show("sarfi")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("nets/model.py:41", ("nets/model.py", 41)),
        ("C:\\nets\\model.py:7", ("C:\\nets\\model.py", 7)),
        ("nets/model.py", ("nets/model.py", None)),
        ("nets/model.py:0", ("nets/model.py:0", None)),
        ("nets/model.py:" + "9" * 5000, ("nets/model.py:" + "9" * 5000, None)),
        ("<string>:3", ("", None)),
        ("", ("", None)),
    ],
)
def test_file_and_line_of_a_source(source: str, found: tuple[str, int | None]) -> None:
    assert located(source) == found


# --------------------------------------------------------------------------------------------------------------- SARIF

URIS = FormatChecker(formats=())


@URIS.checks("uri-reference", ValueError)
@URIS.checks("uri", ValueError)
def is_uri(text: object) -> bool:
    # RFC 3986: no other characters, a percent sign only before two hexadecimal digits.
    return not isinstance(text, str) or bool(re.fullmatch(r"(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[\dA-F]{2})*", text, re.A))


SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA, format_checker=URIS)


def no_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def sarif(*findings: Finding, **given: Any) -> dict[str, Any]:
    text = show("sarif", *findings, **given)
    assert text.endswith("\n")
    log: dict[str, Any] = json.loads(text.encode(), parse_constant=no_constant)
    VALIDATOR.validate(log)
    run: dict[str, Any] = log["runs"][0]
    return run


def unlinked(message: str) -> str:
    return message.replace("{{", "{").replace("}}", "}")


def test_the_schema_refuses_a_broken_log() -> None:
    good = json.loads(show("sarif", FINDING, budget=(OVER,)))
    VALIDATOR.validate(good)

    def broken(path: list[Any], value: Any) -> dict[str, Any]:
        log: dict[str, Any] = json.loads(json.dumps(good))
        target: Any = log
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        return log

    result = ["runs", 0, "results", 0]
    physical = [*result, "locations", 0, "physicalLocation"]
    breaks: list[tuple[list[Any], Any]] = [
        (["version"], "2.0.0"),
        (["runs", 0, "tool"], {}),
        ([*result, "level"], "info"),
        ([*result, "message"], {}),
        ([*result, "severity"], "error"),
        ([*result, "ruleIndex"], -2),
        ([*physical, "region", "startLine"], 0),
        ([*physical, "artifactLocation", "uri"], "nets/my model.py"),
        ([*physical, "artifactLocation", "uri"], "nets/100%.py"),
        ([*result, "relatedLocations"], [{}, {}]),
    ]
    for path, value in breaks:
        with pytest.raises(ValidationError):
            VALIDATOR.validate(broken(path, value))


def test_a_log_names_its_tool_and_every_rule() -> None:
    run = sarif()
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("macprof", "0.1.0")
    assert [found["id"] for found in driver["rules"]] == ["G101", "G401", "G201"]
    assert driver["rules"][0] == {
        "id": "G101",
        "name": "UnequalChannelWidth",
        "shortDescription": {"text": "What G101 finds."},
        "fullDescription": {"text": "Why it matters to a network."},
        "help": {key: rule()["manual"] for key in ("text", "markdown")},
        "properties": {"tags": ["efficiency", "G1"]},
    }
    assert run["results"] == []
    assert run["automationDetails"] == {"id": "macprof/net/"}


def test_a_finding_is_one_result_that_links_to_its_other_places() -> None:
    run = sarif(NOTE, FINDING)
    note, result = run["results"]
    assert (note["ruleId"], note["ruleIndex"], note["level"]) == ("G401", 1, "note")
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("G101", 0, "warning")
    assert result["message"]["text"] == (
        "64 channels in, 256 out. Make them equal. Also at [stage3.conv](1) and 1 more."
    )
    first = {
        "physicalLocation": {
            "artifactLocation": {"uri": "nets/model.py", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 41},
        },
        "logicalLocations": [{"fullyQualifiedName": "stage2.conv", "kind": "module"}],
    }
    second = {**first, "logicalLocations": [{"fullyQualifiedName": "stage3.conv", "kind": "module"}], "id": 1}
    assert result["locations"] == [first]
    assert result["relatedLocations"] == [second]
    assert result["properties"] == {
        "measured": 1.6, "limit": 1.2, "metric": "accesses by the least", "share": 0.18, "seconds": 0.002,
        "accesses": 40_000, "count": 3, "confidence": "high", "safe": False, "gain": None,
        "places": FINDING.as_json()["places"],
    }  # fmt: skip


def test_a_file_elsewhere_has_a_file_uri() -> None:
    spaced = replace(FINDING, places=(Place("a", "my nets/näh#1.py:3"),))
    results = sarif(replace(FINDING, places=(LIBRARY,)), spaced)["results"]
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert places == [
        {
            "artifactLocation": {"uri": "file:///usr/lib/python3/site-packages/torchvision/models/resnet.py"},
            "region": {"startLine": 197},
        },
        {
            "artifactLocation": {"uri": "my%20nets/n%C3%A4h%231.py", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 3},
        },
    ]


@pytest.mark.parametrize(
    ("model", "uri"),
    [("shufflenet_v1", "shufflenet_v1"), ("nets/model.py:build", "nets/model.py"), ("timm:vit", "timm%3Avit")],
)
def test_without_a_source_the_model_stands_for_the_file(model: str, uri: str) -> None:
    # GitHub refuses a log with a result that has no file.
    run = sarif(NOTE, budget=(OVER, KEPT), model=model)
    note, over = run["results"]
    for result, name in (note, "act"), (over, model):
        [location] = result["locations"]
        assert location["physicalLocation"]["artifactLocation"] == {"uri": uri, "uriBaseId": "%SRCROOT%"}
        assert location["logicalLocations"] == [{"fullyQualifiedName": name, "kind": "module"}]


def test_a_place_with_a_file_goes_before_one_without() -> None:
    [result] = sarif(replace(FINDING, places=(Place("a", ""), Place("b", "net.py:2"))))["results"]
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "b"
    assert result["relatedLocations"] == []
    assert result["message"]["text"].endswith("Also at 1 more.")


def test_many_places_are_counted_and_all_are_kept() -> None:
    places = tuple(Place(f"blocks.{number}", f"net.py:{number + 1}") for number in range(130))
    [result] = sarif(replace(FINDING, places=places))["results"]
    assert result["message"]["text"].endswith(" [blocks.10](10) and 119 more.")
    assert len(result["relatedLocations"]) == 100
    assert len(result["properties"]["places"]) == 130


def test_an_exceeded_budget_is_a_result() -> None:
    run = sarif(budget=(KEPT, OVER))
    [result] = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "budget"
    assert result["level"] == "error"
    assert result["message"]["text"] == "net: mult_adds is 201,000,000; the budget is 150,000,000, 34.0% over."
    assert result["properties"] == {"measured": 201_000_000, "limit": 150_000_000, "metric": "mult_adds"}


def test_a_fingerprint_outlives_moved_lines_and_tells_results_apart() -> None:
    def prints(*findings: Finding, model: str = "net") -> list[str]:
        results = sarif(*findings, model=model, budget=(OVER,))["results"]
        return [result["partialFingerprints"]["macprofFinding/v1"] for result in results]

    moved = replace(FINDING, message="other figures", places=(Place("stage2.conv", "nets/model.py:99"),))
    elsewhere = replace(FINDING, places=(Place("stage4.conv", "nets/model.py:41"),))
    assert prints(FINDING) == prints(moved)
    assert len(set(prints(FINDING, FINDING, elsewhere, NOTE))) == 5
    assert not set(prints(FINDING)) & set(prints(FINDING, model="other"))


def test_brackets_and_braces_are_no_links_and_no_placeholders() -> None:
    places = (Place("a", "net.py:1"), Place("b[0]\\{c}", "net.py:2"))
    [result] = sarif(replace(FINDING, message="kernel {3}, see [this](1)", places=places))["results"]
    assert result["message"]["text"] == (
        "kernel {{3}}, see [this] (1). Make them equal. Also at [b\\[0\\]\\\\{{c}}](1)."
    )


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_a_float_that_is_no_number_is_null(odd: float) -> None:
    gain = Gain("faster", odd, odd, odd, 1.0, 1.0)
    [result] = sarif(replace(FINDING, measured=odd, gain=gain))["results"]
    assert result["properties"]["measured"] is None
    assert result["properties"]["gain"]["ratio"] is None


@given(st.lists(FINDINGS, max_size=3), HOSTILE_RULES, HOSTILE)
def test_sarif_holds_whatever_names_there_are(findings: list[Finding], rules: list[dict[str, str]], model: str) -> None:
    run = sarif(*findings, rules=rules, model=model, budget=(OVER,))
    assert [found["id"] for found in run["tool"]["driver"]["rules"]] == [
        *(held(found["code"]) for found in rules), "budget"
    ]  # fmt: skip
    assert len(run["results"]) == len(findings) + 1
    for finding, result in zip(findings, run["results"], strict=False):
        assert result["ruleId"] == held(finding.code)
        assert unlinked(result["message"]["text"]).startswith(held(finding.message).replace("](", "] ("))
        kept: list[dict[str, Any]] = [
            {"path": held(place.path), "source": held(place.source), "lines": [held(line) for line in place.lines]}
            for place in finding.places
        ]
        assert result["properties"]["places"] == kept
        for location in (*result["locations"], *result["relatedLocations"]):
            check_location(location, kept, held(model))


def check_location(location: Mapping[str, Any], places: list[dict[str, str]], model: str) -> None:
    """The location is that of one of the places, read from the other side."""
    name = location["logicalLocations"][0]["fullyQualifiedName"]
    assert name in {place["path"] or model for place in places}
    artifact = location["physicalLocation"]["artifactLocation"]
    file = unquote(artifact["uri"].removeprefix("file:///"))
    files = {located(place["source"])[0].lstrip("/") for place in places if located(place["source"])[0]}
    assert file in {*files, model, re.sub(r"(?<=\.py):[^/]*$", "", model), "model"} | {model.lstrip("/")}
    if "uriBaseId" in artifact:
        assert not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", artifact["uri"]), "an absolute URI has no base"


# -------------------------------------------------------------------------------------------------------------- GitHub


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Name, properties and message of each command, as the runner of GitHub Actions reads them."""
    assert text == "" or text.endswith("\n")
    found = []
    # The runner's lines end in CR, LF or both, and in nothing else.
    for line in re.split("\r\n|\r|\n", text)[:-1]:
        match = re.fullmatch(r"::([a-z]+) (.*?)::(.*)", line, re.DOTALL)
        assert match
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        for code, letter in ("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%"):
            properties = {key: value.replace(code, letter) for key, value in properties.items()}
        message = match[3].replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
        found.append((match[1], properties, message))
    return found


def test_a_finding_is_one_command() -> None:
    assert show("github", FINDING, NOTE, budget=(KEPT, OVER)) == (
        "::error title=budget mult_adds::net: mult_adds is 201,000,000; the budget is 150,000,000, 34.0%25 over.\n"
        "::warning file=nets/model.py,line=41,title=G101 unequal-channel-width::64 channels in, 256 out.%0A"
        "Make them equal.%0AAt stage2.conv, stage3.conv, head.\n"
        "::notice title=G401 many-elementwise::64 channels in, 256 out.%0AMake them equal.%0AAt act.\n"
    )


def test_github_is_told_nothing_where_nothing_was_found() -> None:
    assert show("github", budget=(KEPT,)) == ""


def test_an_error_is_an_error_and_many_places_are_counted() -> None:
    places = tuple(Place(f"blocks.{number}", "") for number in range(25))
    [(name, properties, message)] = commands(show("github", replace(FINDING, severity="error", places=places)))
    assert name == "error"
    assert properties == {"title": "G101 unequal-channel-width"}
    assert message.endswith(", blocks.19 and 5 more.")


def test_github_is_shown_a_place_with_a_file_if_there_is_one() -> None:
    found = commands(show("github", replace(FINDING, places=(Place("a", ""), Place("b", "a,b:c%.py:2")))))
    assert found[0][1] == {"file": "a,b:c%.py", "line": "2", "title": "G101 unequal-channel-width"}


@given(st.lists(FINDINGS, max_size=3), HOSTILE)
def test_github_reads_whatever_names_there_are(findings: list[Finding], model: str) -> None:
    text = show("github", *findings, model=model, budget=(OVER,))
    text.encode()
    over, *found = commands(text)
    assert over[2].startswith(f"{held(model)}: mult_adds is ")
    assert len(found) == len(findings)
    for finding, (_, properties, message) in zip(findings, found, strict=True):
        assert properties["title"] == held(f"{finding.code} {finding.name}")
        assert message.startswith(held(finding.message))
        files = {located(held(place.source))[0] for place in finding.places}
        assert properties.get("file", "") in files
        assert ("file" in properties) == any(files)


# --------------------------------------------------------------------------------------------------------------- JUnit

# Of Jenkins' junit-10.xsd, what is used here: children in any order, and attributes, all of which are to be there.
ELEMENTS = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors", "time"}),
    "testsuite": (
        {"properties", "testcase"},
        {"name", "tests", "failures", "errors", "time", "skipped"},
    ),
    "properties": ({"property"}, set()),
    "property": (set[str](), {"name", "value"}),
    "testcase": ({"failure", "system-out"}, {"classname", "name", "time"}),
    "failure": (set[str](), {"type", "message"}),
    "system-out": (set[str](), set[str]()),
}


def junit(*findings: Finding, **given: Any) -> ElementTree.Element:
    text = show("junit", *findings, **given)
    root = ElementTree.fromstring(text.encode())  # noqa: S314 - what was just written
    assert root.tag == "testsuites"
    for element in root.iter():
        children, attributes = ELEMENTS[element.tag]
        assert {child.tag for child in element} <= children
        assert set(element.attrib) == attributes
    cases = root.findall("testsuite/testcase")
    for element in (root, root[0]):
        assert int(element.attrib["tests"]) == len(cases)
        assert int(element.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
    return root


def spelt(text: str) -> str:
    """What XML can hold of a text."""
    legal = "\t\n"
    return "".join(
        letter
        if letter in legal or "\x20" <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"
        else repr(letter)[1:-1]
        for letter in held(text)
    )


def test_the_whole_junit_document() -> None:
    broken = replace(FINDING, severity="error", message="512 in", places=FINDING.places[:1])
    assert (
        show("junit", FINDING, broken, NOTE, budget=(OVER, KEPT))
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="macprof" tests="5" failures="2" errors="0" time="0">
  <testsuite name="net" tests="5" failures="2" errors="0" time="0" skipped="0">
    <properties>
      <property name="macprof" value="0.1.0" />
    </properties>
    <testcase classname="net" name="G101 unequal-channel-width" time="0">
      <failure type="warning" message="64 channels in, 256 out. Make them equal.">stage2.conv  nets/model.py:41
stage3.conv  nets/model.py:41
head</failure>
      <failure type="error" message="512 in. Make them equal.">stage2.conv  nets/model.py:41</failure>
    </testcase>
    <testcase classname="net" name="G401 many-elementwise" time="0">
      <system-out>64 channels in, 256 out. Make them equal.
act</system-out>
    </testcase>
    <testcase classname="net" name="G201 many-groups" time="0" />
    <testcase classname="net" name="budget mult_adds" time="0">
      <failure type="error" message="mult_adds is 201,000,000; the budget is 150,000,000, 34.0% over.">\
mult_adds is 201,000,000; the budget is 150,000,000, 34.0% over.</failure>
    </testcase>
    <testcase classname="net" name="budget parameters" time="0" />
  </testsuite>
</testsuites>
"""
    )


def test_a_finding_of_a_rule_that_is_not_listed_is_not_lost() -> None:
    root = junit(FINDING, rules=[])
    assert [case.attrib["name"] for case in root.iter("testcase")] == ["G101 unequal-channel-width"]


@given(st.lists(FINDINGS, max_size=3), HOSTILE_RULES, HOSTILE)
def test_junit_holds_whatever_names_there_are(findings: list[Finding], rules: list[dict[str, str]], model: str) -> None:
    root = junit(*findings, rules=rules, model=model, budget=(OVER,))
    assert root[0].attrib["name"] == spelt(model)
    names = {thing["code"]: thing["name"] for thing in (*rules, *(finding.as_json() for finding in findings))}
    cases = [case.attrib["name"] for case in root.iter("testcase")]
    assert cases == [*(spelt(f"{code} {name}") for code, name in names.items()), "budget mult_adds"]
    failures = [failure for failure in root.iter("failure") if "the budget is" not in failure.attrib["message"]]
    failing = [finding for finding in findings if finding.severity != "info"]
    assert len(failures) == len(failing)
    for finding in failing:
        assert any(found.attrib["message"].startswith(spelt(finding.message)) for found in failures)
    notes = "".join(note.text or "" for note in root.iter("system-out"))
    assert all(spelt(finding.message) in notes for finding in findings if finding.severity == "info")


def test_a_limit_of_nothing_has_no_percentage() -> None:
    [case] = junit(rules=[], budget=({**OVER, "limit": 0},)).iter("testcase")
    assert case[0].attrib["message"] == "mult_adds is 201,000,000; the budget is 0."

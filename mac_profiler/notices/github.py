"""GitHub: workflow commands, which GitHub Actions shows beside the lines that they name.

Of each level GitHub shows ten annotations a step and drops the rest. So a finding is one command, at its first place
whose file is known; its message names the other places. One command a place would let the first finding of a network
of sixteen equal blocks hide all others. What exceeds the budget comes first, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mac_profiler.document import Document, Screen
from mac_profiler.notices import known_first, located, overrun, sentence, sound

_COMMANDS = {"info": "notice", "warning": "warning", "error": "error"}
# More module paths than these are counted, not named.
_MOST_NAMED = 20


def render(document: Document, screen: Screen) -> str:
    """One line an exceeded budget, then one line a finding; nothing where there is neither."""
    return "".join(f"{line}\n" for line in _lines(sound(document.data())))


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    for item in data["budget"]:
        if item["exceeded"]:
            yield _command("error", {"title": f"budget {item['figure']}"}, f"{data['model']}: {overrun(item)}")
    for finding in data["findings"]:
        places = known_first(finding["places"])
        file, line = located(places[0]["source"])
        where = {"file": file, "line": "" if line is None else str(line)}
        said = [sentence(finding["message"]), sentence(finding["remedy"]), _at(places, data["model"])]
        title = f"{finding['code']} {finding['name']}"
        yield _command(_COMMANDS[finding["severity"]], {**where, "title": title}, "\n".join(filter(None, said)))


def _at(places: list[Mapping[str, Any]], model: str) -> str:
    named = ", ".join(place["path"] or model for place in places[:_MOST_NAMED])
    more = len(places) - _MOST_NAMED
    return f"At {named}{f' and {more} more' if more > 0 else ''}."


def _command(name: str, properties: Mapping[str, str], message: str) -> str:
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{name} {written}::{_data(message)}"


def _data(text: str) -> str:
    # Percent first, or the escapes would be escaped.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""`macprof rule`: print the manual of one rule."""

from __future__ import annotations

import re
import textwrap
from typing import Annotated

import typer


def _complete_rule(incomplete: str) -> list[str]:
    from mac_profiler.audit import RULES

    names = [*RULES, *(RULES[code].name for code in RULES)]
    return [name for name in names if name.lower().startswith(incomplete.lower())]


def rule(
    code: Annotated[
        str, typer.Argument(metavar="CODE", autocompletion=_complete_rule, help="G101, or the rule's name.")
    ],
) -> None:
    """Print the manual of one rule: what it does, why, an example, what to use instead."""
    from mac_profiler.audit import RULES
    from mac_profiler.errors import UnknownName
    from mac_profiler.output import terminal_width, write_stdout
    from mac_profiler.registry import did_you_mean

    named = {RULES[known].name: known for known in RULES}
    wanted = named.get(code.lower(), code.upper())
    if wanted not in RULES:
        near = did_you_mean(code, [*RULES, *named])
        raise UnknownName(f"no rule is '{code}'.{near} 'macprof rules' lists them.")
    found = RULES[wanted]
    kept = "keeps the function" if found.safe else "changes the network, which is to be trained anew"
    manual = f"{found.manual}\n\nLimit: {found.limit:g} ({found.metric}). The remedy {kept}."
    write_stdout(_fitted(manual, terminal_width()))


def _fitted(manual: str, width: int) -> str:
    """Markdown with its prose broken anew to fit a width; code is left as it is."""
    lines: list[str] = []
    code = False
    for part in re.split(r"\n\n", manual):
        if code or part.startswith(("```", "#")):
            lines += part.splitlines()
        else:
            for item in re.split(r"\n(?=- )", part):
                indent = "  " if item.startswith("- ") else ""
                lines += textwrap.wrap(item, width, subsequent_indent=indent, break_on_hyphens=False)
        code ^= part.count("```") % 2 == 1
        lines.append("")
    return "\n".join(lines)

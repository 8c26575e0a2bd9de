"""`macprof rule`: print the manual of one rule."""

from __future__ import annotations

from typing import Annotated

import typer


def _complete_rule(incomplete: str) -> list[str]:
    from mac_profiler.audit import RULES

    return [code for code in RULES if code.startswith(incomplete.upper())]


def rule(
    code: Annotated[
        str, typer.Argument(metavar="CODE", autocompletion=_complete_rule, help="G101, or the rule's name.")
    ],
) -> None:
    """Print the manual of one rule: what it does, why, an example, what to use instead."""
    from mac_profiler.audit import RULES
    from mac_profiler.output import write_stdout

    named = {RULES[known].name: known for known in RULES}
    found = RULES[named.get(code.lower(), code.upper())]
    kept = "keeps the function" if found.safe else "changes the network, which is to be trained anew"
    write_stdout(f"{found.manual}\n\nLimit: {found.limit:g} ({found.metric}). The remedy {kept}.\n")

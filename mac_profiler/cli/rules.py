"""`macprof rules`: list the rules of the audit."""

from __future__ import annotations

from mac_profiler.options import FormatOption, OutputOption, deliver, prepare


def rules(format: FormatOption = None, output: OutputOption = None) -> None:
    """List the rules of 'macprof audit'."""
    from mac_profiler.api.auditing import all_rules
    from mac_profiler.verdict import of_rules

    form = prepare(format, output)
    deliver(of_rules(all_rules()), form, output)

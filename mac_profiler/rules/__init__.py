"""Room: one file a rule of `macprof audit`, named after its code and the pattern that it finds.

The docstring of the file is the rule's manual, which `macprof rule CODE` prints. Its first line is "CODE name: what
it finds."; its headings are those of a linter's: What it does, Why is this bad?, Example, Use instead, References.
The code of "Example" makes a `model` and its `inputs` in which the rule finds something, and that of "Use instead"
one in which it finds nothing: a test runs both. The check is a function under `@rule`; see `mac_profiler.audit`.
"""

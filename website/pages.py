"""Pages made from the code: a command, a rule and a report each, the public names, the machines."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from website.excerpts import ROOT

# Modules whose docstring explains something that a reader of results may ask.
# reports/NAME/table.md
REPORT_DEPTH = 2
MACHINES = ("bounds", "blocks", "fusion", "score", "audit", "predict", "plugins", "published", "reuse")


def pages() -> Iterator[tuple[str, str]]:
    """Path within the site, and markdown, of every page that is made."""
    yield from commands()
    yield from rules()
    yield "reference/api.md", api()
    yield "reference/machines.md", machines()


def commands() -> Iterator[tuple[str, str]]:
    """A page for every verb of `macprof`, from what `--help` is made of."""
    import typer

    from mac_profiler.cli import app

    group: Any = typer.main.get_command(app())
    for name, command in sorted(group.commands.items()):
        context = command.make_context(name, [], resilient_parsing=True)
        usage = " ".join(["macprof", name, *command.collect_usage_pieces(context)])
        parts = [f"# macprof {name}", command.help or "", f"```text\n{usage}\n```"]
        told = [(each, each.get_help_record(context)) for each in command.get_params(context)]
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            rows = [record for each, record in told if each.param_type_name == kind and record is not None]
            if rows:
                parts += [f"## {title}", _table((title[:-1].lower(), "meaning"), [(f"`{a}`", b) for a, b in rows])]
        yield f"reference/commands/{name}.md", "\n\n".join(parts)


def rules() -> Iterator[tuple[str, str]]:
    """A page for every rule of the audit, its manual; and one that lists them."""
    from mac_profiler.audit import RULES

    rows = []
    for code, rule in ((code, RULES[code]) for code in sorted(RULES)):
        path = f"{code.lower()}_{rule.name.replace('-', '_')}.md"
        rows.append((f"[{code}]({path})", rule.name, rule.summary))
        facts = _table(
            ("limit", "of", "the remedy", "confidence", "at most"),
            [(f"{rule.limit:g}", rule.metric, "keeps the function" if rule.safe else "changes the network",
              rule.confidence, rule.most)],
        )  # fmt: skip
        body = rule.manual.partition("\n")[2].strip()
        yield (
            f"reference/rules/{path}",
            f"# {code} {rule.name}\n\n{rule.summary[:1].upper()}{rule.summary[1:]}\n\n{facts}\n\n{body}\n",
        )
    index = _table(("rule", "name", "finds"), rows)
    yield "reference/rules/index.md", f"# Rules\n\nThe first digit is that of the guideline.\n\n{index}\n"


def api() -> str:
    """The public names of the package, where they are defined."""
    package = import_module("mac_profiler")
    parts = ["# The public names", "`import mac_profiler` loads neither torch nor anything else of weight."]
    for name in package.__all__:
        thing = getattr(package, name)
        parts.append(f"::: {thing.__module__}.{thing.__qualname__}")
    return "\n\n".join(parts)


def machines() -> str:
    """Modules of the package, with what their docstrings explain."""
    parts = ["# Machines", "The steps of the pipeline that a reader of results asks for most."]
    return "\n\n".join([*parts, *(f"::: mac_profiler.{name}" for name in MACHINES)])


def reports() -> Iterator[tuple[str, Path]]:
    """Path within the site, and file, of every report's tables and figures."""
    for table in sorted((ROOT / "reports").rglob("table.md")):
        for file in (table, *sorted(table.parent.glob("*.svg"))):
            yield file.relative_to(ROOT).as_posix(), file


def navigation() -> Mapping[str, list[Any]]:
    """What mkdocs.yml leaves to the code, by the name that stands there."""
    return {
        "<commands>": [{f"macprof {Path(path).stem}": path} for path, _ in commands()],
        "<rules>": sorted(path for path, _ in rules()),
        # What is below a report is reached from it.
        "<reports>": [path for path, _ in reports() if path.endswith(".md") and path.count("/") == REPORT_DEPTH],
    }


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.stdout.writelines(f"<!-- {path} -->\n{text}\n" for path, text in pages())

"""Brackets: which lines of a source file belong to a call that is spread over several."""

from __future__ import annotations

import ast
from dataclasses import dataclass

_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class _Bracket:
    """A call or a display.

    Attributes:
        first: its first line.
        last: its last line.
        around: brackets of the same statement that it stands in, as indices.
    """

    first: int
    last: int
    around: frozenset[int]


class Brackets:
    """The calls, lists, tuples, sets and dictionaries of a file.

    Args:
        tree: the parsed file.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._all: list[_Bracket] = []
        self._calls: dict[int, list[int]] = {}
        self._owners: dict[int, frozenset[int]] = {}
        # Not by recursion: a generated network may be one very deep expression.
        pending: list[tuple[ast.AST, frozenset[int]]] = [(tree, frozenset())]
        while pending:
            node, around = pending.pop()
            if isinstance(node, ast.Call):
                # What is called stands before the bracket. Python says that a method is called where its name stands,
                # or else where the object that has it begins.
                pending.append((node.func, around))
                named = node.func.end_lineno or node.lineno
                for line in {node.lineno, named}:
                    self._calls.setdefault(line, []).append(len(self._all))
                around = self._add(named, node, around)
                pending.extend((argument, around) for argument in (*node.args, *node.keywords))
                continue
            if isinstance(node, _DISPLAYS):
                around = self._add(node.lineno, node, around)
            pending.extend((child, around) for child in ast.iter_child_nodes(node))

    def _add(self, first: int, node: ast.expr, around: frozenset[int]) -> frozenset[int]:
        """Note a bracket; the ones that what is in it stands in."""
        self._all.append(_Bracket(first, node.end_lineno or first, around))
        return around | {len(self._all) - 1}

    def belongs(self, line: int, start: int, *, constructs: bool) -> bool:
        """Whether what is said on a line is said of the call that begins on another (or the same) line.

        A line is said to be of the innermost bracket on it. So a line within nn.Sequential(...) is of the layer that
        is made there, and the lines on which the Sequential opens and closes, standing alone, are of all its layers.

        Args:
            line: what may belong to the call.
            start: where the call begins.
            constructs: the call makes a layer itself; then what stands within it are its arguments, not other layers.
        """
        if line == start:
            return True
        calls = self._calls.get(start, [])
        if constructs and len(calls) == 1 and start <= line <= self._all[calls[0]].last:
            return True
        owners = self._innermost(line)
        for call in calls:
            if call in owners:
                return True
            around = self._all[call].around
            if owners and all(i in around and line in (self._all[i].first, self._all[i].last) for i in owners):
                return True
        return False

    def _innermost(self, line: int) -> frozenset[int]:
        if line not in self._owners:
            touching = frozenset(i for i, bracket in enumerate(self._all) if bracket.first <= line <= bracket.last)
            self._owners[line] = touching.difference(*(self._all[i].around for i in touching))
        return self._owners[line]

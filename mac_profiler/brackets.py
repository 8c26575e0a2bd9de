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
            if isinstance(node, ast.stmt):
                around = frozenset()
            elif isinstance(node, (ast.Call, *_DISPLAYS)):
                # A method's call begins where its name stands, if that is on a line below its object.
                for line in {node.lineno, node.func.end_lineno or 0} if isinstance(node, ast.Call) else ():
                    self._calls.setdefault(line, []).append(len(self._all))
                self._all.append(_Bracket(node.lineno, node.end_lineno or node.lineno, around))
                around |= {len(self._all) - 1}
            pending.extend((child, around) for child in ast.iter_child_nodes(node))

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
            if call in owners and line >= start:
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

"""Pairing: which module of one model is which of another, and which of the changed ones were renamed.

In this order, and what is paired is done with:

1. the same path, and the same in everything;
2. the same in everything at another path: it was moved. Those whose last name is the same go first, then by order, so
   that a layer put into an `nn.Sequential` moves those behind it, and is not taken for a change of all of them;
3. the same path and type;
4. the same type at the path that the modules around it were moved to;
5. the same path: another type stands there.

What is left was removed or added. Each step treats both models alike: exchanged, they are paired the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from mac_profiler.difference.side import Part

Pair = tuple[Part | None, Part | None]


def pair_parts(before: Sequence[Part], after: Sequence[Part]) -> list[Pair]:
    """Every part of both, each once, in the order of the second model; what was removed comes last."""
    pairs: list[tuple[Part, Part]] = []
    old, new = list(before), list(after)

    def settle(old_key: Callable[[Part], Hashable], new_key: Callable[[Part], Hashable]) -> None:
        nonlocal old, new
        waiting: dict[Hashable, list[Part]] = defaultdict(list)
        for part in old:
            waiting[old_key(part)].append(part)
        rest = []
        taken: set[int] = set()
        for part in new:
            partners = waiting.get(new_key(part))
            if partners:
                partner = partners.pop(0)
                taken.add(id(partner))
                pairs.append((partner, part))
            else:
                rest.append(part)
        old, new = [part for part in old if id(part) not in taken], rest

    def alike(*keys: Callable[[Part], Hashable]) -> None:
        settle(lambda part: tuple(key(part) for key in keys), lambda part: tuple(key(part) for key in keys))

    alike(_path, _content)
    alike(_content, _name)
    alike(_content)
    moved = renames([(one.path, two.path) for one, two in pairs])
    alike(_path, _type)
    settle(lambda part: (renamed(part.path, moved), part.type), lambda part: (part.path, part.type))
    alike(_path)
    order = {id(part): i for i, part in enumerate(after)}
    found: list[Pair] = [*sorted(pairs, key=lambda pair: order[id(pair[1])])]
    found += [(None, part) for part in new]
    return [*sorted(found, key=lambda pair: order[id(pair[1])]), *((part, None) for part in old)]


def renames(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Old path -> new path of modules that were moved, and of those around them that must have been.

    "features.0.conv", found again as "stem.0.conv", says that "features.0" is "stem.0" and "features" is "stem"; what
    is told in two ways is left out.

    Args:
        pairs: path before and after, of modules that are the same.
    """
    there: dict[str, set[str]] = defaultdict(set)
    back: dict[str, set[str]] = defaultdict(set)
    for old, new in pairs:
        one, two = old.split("."), new.split(".")
        while one and two:
            there[".".join(one)].add(".".join(two))
            back[".".join(two)].add(".".join(one))
            if one.pop() != two.pop():
                break
    return {
        old: next(iter(names))
        for old, names in there.items()
        if len(names) == 1 and len(back[next(iter(names))]) == 1 and next(iter(names)) != old
    }


def renamed(path: str, moved: Mapping[str, str]) -> str:
    """A path after the modules around it were moved."""
    parts = path.split(".")
    for i in range(len(parts), 0, -1):
        around = ".".join(parts[:i])
        if around in moved:
            return ".".join([moved[around], *parts[i:]])
    return path


def _path(part: Part) -> str:
    return part.path


def _name(part: Part) -> str:
    return part.path.rpartition(".")[2]


def _type(part: Part) -> str:
    return part.type


def _content(part: Part) -> Hashable:
    return part.content

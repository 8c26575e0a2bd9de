"""The lines that build a layer are found, however a user writes it; the model and nn.Module are left as they were."""

from __future__ import annotations

import copy
import gc
import importlib.util
import io
import pickle
import re
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mac_profiler.building_lines import record_building_lines
from mac_profiler.compiled_operators import prepare_torchvision
from mac_profiler.models import find

INPUT = ("1x3x8x8",)

HEAD = """
import copy
import functools
from dataclasses import dataclass
import torch
from torch import nn
"""

FACTORY = """
def conv(cin, cout):
    return nn.Conv2d(cin, cout, 3)  #c
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "net.py") -> dict[str, str]:
    """Writes a user's file; its lines by the letter that a comment gives them."""
    whole = HEAD + textwrap.dedent(text)
    Path(name).write_text(whole, encoding="utf-8")
    marks = ((number, re.search(r"#([a-z])\b", line)) for number, line in enumerate(whole.splitlines(), 1))
    return {found[1]: f"{name}:{number}" for number, found in marks if found}


def built(name: str = "net.py:Net") -> dict[str, tuple[str, ...]]:
    with record_building_lines() as lines:
        model = find(name, inputs=INPUT).module
    return lines.lines_of(model)


def expect(text: str, wanted: dict[str, str], name: str = "net.py:Net") -> None:
    """What a user's file builds is told by the marked lines: {"stem": "ca"}, by path, innermost first."""
    marks = write(text)
    found = built(name)
    assert {path: found[path] for path in wanted} == {
        path: tuple(marks[mark] for mark in letters) for path, letters in wanted.items()
    }


# ------------------------------------------------------------------------------------------------- what users write


def test_layers_of_a_class() -> None:
    expect(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = nn.Conv2d(3, 8, 3)  #a
                self.norm = nn.BatchNorm2d(8)  #b
        """,
        {"stem": "a", "norm": "b"},
    )


def test_a_call_over_several_lines_is_told_by_its_first() -> None:
    expect(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = (
                    nn.Conv2d(  #a
                        3,
                        int(
                            8.0
                        ),
                        kernel_size=3,
                    )
                )
        """,
        {"stem": "a"},
    )


def test_a_factory_then_who_called_it() -> None:
    expect(
        FACTORY
        + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = conv(3, 8)  #a
        self.second = conv(8, 8)  #b

def build():
    return Net()  #n
""",
        {"first": "can", "second": "cbn", "": "n"},
        "net.py:build",
    )


def test_layers_of_a_sequential_over_several_lines() -> None:
    expect(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.Sequential(  #s
                    nn.Conv2d(3, 8, 3),  #a
                    nn.ReLU(),  #b
                    nn.Sequential(  #t
                        nn.Conv2d(8, 8, 3),  #d
                    ),
                )
        """,
        {"body": "s", "body.0": "a", "body.1": "b", "body.2": "t", "body.2.0": "d"},
    )


def test_loops_and_comprehensions_and_generators() -> None:
    expect(
        FACTORY
        + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for i in range(2):
            layers.append(
                conv(8, 8)  #l
            )
        self.loop = nn.Sequential(*layers)  #s
        self.listed = nn.ModuleList([
            nn.Conv2d(8, 8, 3)  #i
            for _ in range(2)
        ])
        self.named = nn.ModuleDict({
            str(i): conv(8, 8)  #d
            for i in range(2)
        })
        self.nested = nn.ModuleList([nn.ModuleList([  #o
            nn.Conv2d(8, 8, 3)  #n
            for _ in range(2)]) for _ in range(2)])
        self.generated = nn.Sequential(*(nn.Conv2d(8, 8, 3) for _ in range(2)))  #g
""",
        {
            "loop": "s", "loop.0": "cl", "loop.1": "cl", "listed.1": "i", "named.1": "cd", "nested.1": "o",
            "nested.1.1": "n", "generated": "g", "generated.1": "g",
        },
    )  # fmt: skip


def test_a_lazy_generator_is_told_with_who_asks_it() -> None:
    expect(
        """
        def layers():
            for _ in range(2):
                yield nn.Conv2d(8, 8, 3)  #y

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.body = nn.ModuleList(layers())  #a
        """,
        {"body.0": "ya", "body.1": "ya"},
    )


def test_nested_modules() -> None:
    expect(
        """
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(8, 8, 3)  #c

        class Stage(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = Block()  #b

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.one = Stage()  #o
                self.two = Stage()  #t
        """,
        {"one": "o", "one.block": "bo", "one.block.conv": "cbo", "two.block.conv": "cbt"},
    )


def test_a_block_that_holds_a_block_of_its_own_class() -> None:
    expect(
        """
        class Net(nn.Module):
            def __init__(self, depth=2):
                self.early = torch.nn.Identity  # no module yet
                super().__init__()
                self.conv = nn.Conv2d(3, 3, 1)  #c
                self.inner = Net(depth - 1) if depth else None  #i
        """,
        {"conv": "c", "inner": "i", "inner.conv": "ci", "inner.inner": "i", "inner.inner.conv": "ci"},
    )


def test_subclasses_of_a_layer() -> None:
    expect(
        """
        class Same(nn.Conv2d):
            def __init__(self, cin, cout):
                self.prepare()
                self.finish(cin, cout)

            def prepare(self):
                pass

            def finish(self, cin, cout):
                super().__init__(
                    cin, cout, 3,
                )

        class Smaller(Same):
            pass

        class Smallest(Smaller):
            def __init__(self):
                super().__init__(3, 3)
                self.gate = Same(3, 3)  #g

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.same = Same(3, 8)  #a
                self.smaller = Smaller(3, 8)  #b
                self.smallest = Smallest()  #d
        """,
        {"same": "a", "smaller": "b", "smallest": "d", "smallest.gate": "gd"},
    )


def test_a_class_without_a_constructor_of_its_own() -> None:
    expect(
        """
        class Marker(nn.Module):
            pass

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.marker = Marker()  #a
        """,
        {"marker": "a"},
    )


def test_a_decorator_around_the_factory() -> None:
    expect(
        """
        def logged(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args)  #w
            return wrapper

        @logged
        def conv(cin, cout):
            return nn.Conv2d(cin, cout, 3)  #c

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = conv(3, 8)  #a
        """,
        {"stem": "cwa"},
    )


@pytest.mark.parametrize("signature", ["self, *args", "*args", "self, /, *args, extra=1, **more"])
def test_a_decorator_around_the_constructors_of_a_class_and_its_parent(signature: str) -> None:
    call = "init(*args)" if signature == "*args" else "init(self, *args)"
    expect(
        f"""
        def remembered(kind):
            init = kind.__init__

            @functools.wraps(init)
            def wrapper({signature}):
                {call}  #r

            kind.__init__ = wrapper
            return kind

        @remembered
        class Block(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.conv = nn.Conv2d(3, width, 3)  #c

        @remembered
        class Wide(Block):
            def __init__(self):
                super().__init__(64)  #p

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = Block(8)  #b
                self.wide = Wide()  #w
        """,
        {"block": "b", "wide": "w", "block.conv": "crb", "wide.conv": "crprw"},
    )


def test_decorators_around_the_class_and_around_forward() -> None:
    expect(
        """
        KINDS = {}

        def register(name):
            def add(kind):
                KINDS[name] = kind
                return kind
            return add

        def amplified(kind):
            class Amplified(kind):
                def __init__(self, *args):
                    super().__init__(*args)
            return Amplified

        def traced(forward):
            @functools.wraps(forward)
            def wrapper(self, x):
                return forward(self, x)
            return wrapper

        @register("block")
        @amplified
        class Block(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.conv = nn.Conv2d(3, width, 3)  #c

            @traced
            @torch.no_grad()
            def forward(self, x):
                return self.conv(x)

        def create(name, *args):
            return KINDS[name](*args)  #k

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = create("block", 8)  #b
        """,
        {"block": "kb"},
    )


def test_a_config_a_partial_a_lambda_and_a_dictionary() -> None:
    expect(
        FACTORY
        + """
@dataclass(frozen=True)
class Config:
    width: int = 8
    norm: type = nn.BatchNorm2d

    def make_norm(self):
        return self.norm(self.width)  #n

class Net(nn.Module):
    def __init__(self, config=Config()):
        super().__init__()
        self.conv = nn.Conv2d(3, config.width, 3)  #v
        self.norm = config.make_norm()  #m
        act = functools.partial(nn.ReLU, inplace=True)
        self.act = act()  #p
        made = functools.partial(conv, 3)
        self.made = made(8)  #q
        late = lambda: nn.Conv2d(3, 8, 1)  #l
        self.late = late()  #t
        kinds = {"linear": nn.Linear}
        self.head = kinds["linear"](8, 10)  #h
        self.many = nn.ModuleDict({
            "a": nn.Linear(8, 8),  #x
            "b": conv(8, 8),  #y
        })
""",
        {
            "conv": "v", "norm": "nm", "act": "p", "made": "cq", "late": "lt", "head": "h",
            "many.a": "x", "many.b": "cy",
        },
    )  # fmt: skip


def test_a_dataclass_that_is_a_module() -> None:
    expect(
        """
        @dataclass(eq=False)
        class Block(nn.Module):
            width: int = 8

            def __post_init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, self.width, 3)  #c

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.block = Block(width=4)  #b
        """,
        {"block": "b", "block.conv": "cb"},
    )


def test_copies_keep_the_lines_of_their_original() -> None:
    expect(
        """
        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(3, 3, 3)  #c
                self.attention = nn.MultiheadAttention(8, 2)  #m

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                block = Block()  #b
                self.blocks = nn.ModuleList([copy.deepcopy(block) for _ in range(2)])
                self.again = copy.deepcopy(self.blocks[0])
                self.shallow = copy.copy(block)
                layer = nn.TransformerEncoderLayer(8, 2, 16)  #t
                self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)  #e
        """,
        {
            "blocks.0": "b", "blocks.1.conv": "cb", "again.conv": "cb", "shallow": "b", "shallow.conv": "cb",
            "again.attention.out_proj": "mb", "encoder": "e", "encoder.layers.0": "t", "encoder.layers.1.linear1": "t",
            "encoder.layers.1.self_attn.out_proj": "t",
        },
    )  # fmt: skip


def test_parts_of_a_layer_of_torch_are_where_the_layer_is() -> None:
    expect(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.attention = nn.MultiheadAttention(8, 2)  #a
                self.lazy = nn.LazyConv2d(8, 3)  #l
                self.empty = nn.utils.skip_init(nn.Linear, 3, 8)  #s
        """,
        {"attention": "a", "attention.out_proj": "a", "lazy": "l", "empty": "s"},
    )


def test_a_shared_layer_has_its_line_under_both_names() -> None:
    expect(
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.one = nn.Sequential(  #s
                    nn.Linear(8, 8),  #a
                )
                self.two = self.one
                self.three = self.one[0]
        """,
        {"one": "s", "two": "s", "one.0": "a", "three": "a"},
    )
    # What is in a shared block has one name, as it has in a trace.
    assert list(built()) == ["", "one", "one.0", "two", "three"]


def test_a_module_that_holds_itself() -> None:
    with record_building_lines() as lines:
        module = nn.Sequential()
        module.add_module("again", module)
    assert list(lines.lines_of(module)) == ["", "again"]


def test_another_file_of_the_user() -> None:
    marks = write(FACTORY, "blocks_of_mine.py")
    marks |= write(
        """
        from blocks_of_mine import conv

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = conv(3, 8)  #a
        """
    )
    assert built()["stem"] == (marks["c"], marks["a"])


def test_a_package_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "nets_of_mine").mkdir()
    (tmp_path / "nets_of_mine" / "__init__.py").touch()
    marks = write("def build():\n    return nn.Linear(8, 8)  #a\n", "nets_of_mine/model.py")
    assert built("nets_of_mine/model.py:build")[""] == (marks["a"],)


def test_a_model_made_when_its_file_is_imported() -> None:
    marks = write("net = nn.Sequential(  #s\n    nn.Linear(8, 8),  #a\n)\n")
    with record_building_lines() as lines:
        model = find("net.py:net", inputs=INPUT).module
    assert lines.lines_of(model) == {"": (marks["s"],), "0": (marks["a"],)}
    with record_building_lines() as later:
        pass
    assert later.lines_of(model) == {"": (), "0": ()}


def test_a_callable_that_works_with_modules() -> None:
    marks = write("def build():\n    layer = nn.Linear(8, 8)  #a\n    return lambda x: layer(x), torch.ones(8)\n")
    with record_building_lines() as lines:
        model = find("net.py:build").module
    assert lines.lines_of(model) == {"": (marks["a"],)}


# ------------------------------------------------------------------------------------------------- installed packages


def test_a_block_of_an_installed_package_is_where_the_user_called_it() -> None:
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    prepare_torchvision()
    expect(
        """
        from torchvision.ops.misc import Conv2dNormActivation

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = nn.Sequential(
                    Conv2dNormActivation(3, 8),  #a
                )
        """,
        {"stem.0": "a", "stem.0.0": "a", "stem.0.1": "a"},
    )


def test_a_model_of_an_installed_package_has_that_packages_lines() -> None:
    if importlib.util.find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed")
    lines = built("torchvision:resnet18")["layer1.0.conv1"]
    assert [re.sub(r"\d+$", "", line.replace("\\", "/")).split("/", 1)[-1] for line in lines[:2]] == [
        "models/resnet.py:",
        "models/resnet.py:",
    ]
    assert not any("importlib" in line or "mac_profiler" in line for line in lines)


def test_a_network_of_the_zoo_has_the_zoos_lines() -> None:
    lines = built("shufflenet_v2")
    # The network itself is made by macprof, which has no line to show.
    assert [path for path, found in lines.items() if not found] == [""]
    files = {line.rpartition(":")[0].replace("\\", "/") for found in lines.values() for line in found}
    assert {re.sub(r".*mac_profiler/", "", file) for file in files} <= {"zoo/shufflenet_v2.py", "layers.py"}


# ---------------------------------------------------------------------------------------------- nothing is left behind


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), copy.deepcopy(nn.ReLU()))


class Empty(nn.Module):
    """Without a tensor, whose bytes are written with an address."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), copy.deepcopy(nn.Dropout(0.5)))


def test_the_model_is_what_it_is_without() -> None:
    plain, small = Empty(), Small()
    with record_building_lines():
        watched, watched_small = Empty(), Small()
        during = pickle.dumps(watched)
        for one, other in zip(watched_small.modules(), small.modules(), strict=True):
            assert list(vars(one)) == list(vars(other))
    assert pickle.dumps(watched) == during == pickle.dumps(plain)
    saved = io.BytesIO()
    torch.save(watched_small, saved)
    assert b"mac_profiler" not in saved.getvalue()
    assert [list(vars(module)) for module in watched_small.modules()] == [
        list(vars(module)) for module in small.modules()
    ]


def test_modules_are_not_kept_alive() -> None:
    with record_building_lines():
        gc.collect()
        model = Small()
        died = threading.Event()

        class Witness:
            def __del__(self) -> None:
                died.set()

        vars(model)["witness"] = Witness()
        del model
        gc.collect()
        assert died.is_set()


def test_a_module_at_the_address_of_one_that_is_gone_has_no_lines() -> None:
    with record_building_lines() as lines:
        model = nn.ReLU()
        address = id(model)
        del model
        held = [nn.ReLU.__new__(nn.ReLU)]
        while id(held[-1]) != address and len(held) < 10_000:
            held.append(nn.ReLU.__new__(nn.ReLU))
    vars(held[-1])["_modules"] = {}
    assert lines.lines_of(held[-1]) == {"": ()}


def hooks() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return nn.Module.__init__, nn.Module.__setstate__


def test_nn_module_is_put_back_after_nested_contexts_and_after_an_exception() -> None:
    before = hooks()
    with record_building_lines() as outer:
        inside = hooks()
        first = nn.ReLU()
        with suppress(ZeroDivisionError), record_building_lines() as inner:
            second = nn.ReLU()
            raise ZeroDivisionError
        assert hooks() == inside != before
        third = nn.ReLU()
    assert hooks() == before
    assert [bool(outer.lines_of(module)[""]) for module in (first, second, third)] == [True, True, True]
    assert [bool(inner.lines_of(module)[""]) for module in (first, second, third)] == [False, True, False]


def test_contexts_that_end_in_another_order() -> None:
    before = hooks()
    one, two = record_building_lines(), record_building_lines()
    one.__enter__()
    lines = two.__enter__()
    one.__exit__(None, None, None)
    module = nn.ReLU()
    two.__exit__(None, None, None)
    assert hooks() == before
    assert lines.lines_of(module)[""]


def test_what_others_put_in_place_of_the_constructor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    original = nn.Module.__init__
    calls = []
    with record_building_lines():
        mine = nn.Module.__init__

        def theirs(self: nn.Module, *args: Any, **kwargs: Any) -> None:
            calls.append(type(self))
            mine(self, *args, **kwargs)

        nn.Module.__init__ = theirs  # type: ignore[method-assign]
    try:
        assert nn.Module.__init__ is theirs
        nn.ReLU()
        assert calls == [nn.ReLU]
        marks = write("def build():\n    return nn.ReLU()  #a\n")
        assert built("net.py:build")[""] == (marks["a"],)
        assert nn.Module.__init__ is theirs
    finally:
        nn.Module.__init__ = original  # type: ignore[method-assign]


def test_the_frame_that_records_is_the_outermost() -> None:
    marks = write("def build():\n    return nn.ReLU()  #a\n")
    namespace: dict[str, Any] = {}
    exec(compile(Path("net.py").read_text(encoding="utf-8"), str(Path("net.py").resolve()), "exec"), namespace)  # noqa: S102

    def inside() -> tuple[str, ...]:
        with record_building_lines() as lines:
            model = namespace["build"]()
        return lines.lines_of(model)[""]

    first, second = inside()
    assert first == marks["a"]
    assert re.fullmatch(r".*test_building_lines\.py:\d+", second)
    with ExitStack() as stack:
        lines = stack.enter_context(record_building_lines())
        model = namespace["build"]()
    assert lines.lines_of(model)[""] == (first, re.sub(r"\d+$", lambda _: second_line(), second))


def second_line() -> str:
    """Where the test above builds within its ExitStack."""
    text = Path(__file__).read_text(encoding="utf-8").splitlines()
    return str(next(i for i, line in enumerate(text, 1) if "stack.enter_context(" in line) + 1)


def test_modules_of_other_threads() -> None:
    made: list[nn.Module] = []
    with record_building_lines() as lines:
        thread = threading.Thread(target=lambda: made.append(nn.Linear(2, 2)))
        thread.start()
        thread.join()
    (line,) = lines.lines_of(made[0])[""]
    assert "test_building_lines.py" in line


class Plain(nn.Module):
    def __init__(self) -> None:
        self.__dict__.update(nn.ReLU().__dict__)


def _by_hand() -> nn.Module:
    module = nn.ReLU.__new__(nn.ReLU)
    module.__dict__.update(nn.ReLU().__dict__)
    return module


@contextmanager
def _meta() -> Iterator[None]:
    with torch.device("meta"):
        yield


@pytest.mark.parametrize("make", [Plain, _by_hand, lambda: pickle.loads(pickle.dumps(nn.ReLU()))])  # noqa: S301
def test_a_module_that_ran_no_constructor_has_no_lines(make: Callable[[], nn.Module]) -> None:
    with record_building_lines() as lines:
        model = make()
    assert lines.lines_of(model) == {"": ()}


def test_a_constructor_called_on_an_object_that_is_there_already() -> None:
    with record_building_lines() as lines:
        module = nn.Linear.__new__(nn.Identity)
        nn.Module.__init__(module)
    assert "test_building_lines.py" in lines.lines_of(module)[""][0]


def test_on_meta() -> None:
    with record_building_lines() as lines, _meta():
        model = Small()
    assert model.body[0].weight.is_meta
    assert all(lines.lines_of(model).values())


def test_scripted_and_traced_modules_do_not_break() -> None:
    with record_building_lines() as lines:
        scripted = torch.jit.script(nn.Sequential(nn.Linear(2, 2)))
        traced = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2)))
        copied = copy.deepcopy(traced)
    assert scripted(torch.ones(2)).shape == (2,)
    assert set(lines.lines_of(scripted)) == {"", "0"}
    assert lines.lines_of(traced)["0"]
    assert set(lines.lines_of(copied)) == {"", "0"}


# ---------------------------------------------------------------------------------------------------- any such program


@given(st.lists(st.sampled_from(["call", "factory", "loop", "listed", "copied", "wrapped"]), min_size=1, max_size=12))
def test_each_layer_of_a_generated_file_has_its_own_line(kinds: list[str]) -> None:
    body = {
        "call": ["self.l{0} = nn.Linear({0} + 1, 1)"],
        "factory": ["self.l{0} = linear({0} + 1)"],
        "loop": ["for _ in range(1):", "    self.l{0} = nn.Linear(", "        {0} + 1, 1)"],
        "listed": ["self.l{0} = [", "    nn.Linear({0} + 1, 1) for _ in range(2)][0]"],
        "copied": ["self.l{0} = copy.deepcopy(", "    nn.Linear({0} + 1, 1))"],
        "wrapped": ["self.l{0} = nn.Sequential(nn.Identity(),", "    nn.Linear({0} + 1, 1))[1]"],
    }
    text = "def linear(n):\n    return nn.Linear(n, 1)\n\nclass Net(nn.Module):\n    def __init__(self):\n"
    text += "        super().__init__()\n"
    for number, kind in enumerate(kinds):
        text += "".join(f"        {line.format(number)}\n" for line in body[kind])
    write(text)
    written = Path("net.py").read_text(encoding="utf-8").splitlines()
    inside = next(i for i, line in enumerate(written, 1) if "return nn.Linear" in line)
    found = built()
    for number, kind in enumerate(kinds):
        key = f"linear({number} + 1)" if kind == "factory" else f"nn.Linear({number} + 1"
        where = next((i for i, line in enumerate(written, 1) if key in line), 0)
        if kind == "loop":
            where = next(i for i, line in enumerate(written, 1) if f"self.l{number} = nn.Linear(" in line)
        wanted = (f"net.py:{inside}", f"net.py:{where}") if kind == "factory" else (f"net.py:{where}",)
        assert found[f"l{number}"] == wanted

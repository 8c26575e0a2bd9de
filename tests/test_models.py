"""Models are found by every form of name, built without a trace, and what cannot be is told in one line."""

from __future__ import annotations

import importlib
import pickle
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler import compiled_operators, models
from mac_profiler.errors import InvalidInput, MissingPackage, ModelNotFound
from mac_profiler.inputs import DTYPES, Input, make_tensor, parse_argument, parse_input

ROOT = Path(__file__).resolve().parents[1]

MODEL_FILE = """
from dataclasses import dataclass
import torch
from torch import nn
from layers import make_layer

@dataclass
class Config:
    width: int = 4

class Net(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.config = Config(width)
        self.layer = make_layer(width)
    def forward(self, x):
        return self.layer(x)

def build(width=4):
    torch.rand(3)
    return Net(width)

def with_tensor(): return Net(), torch.zeros(2, 4)
def with_tuple(): return Net(), (torch.zeros(2, 4),)
def with_mapping(): return Net(), {"x": torch.zeros(2, 4)}
def plain_callable(): return torch.relu, torch.zeros(3)
def returns_class(): return Net
def returns_number(): return 42
def raises(): raise ValueError("the bottleneck\\nis too narrow")
def leaves(): raise SystemExit(3)
def needs(depth): return Net()
def passes_on(**kwargs): return Net(**kwargs)
class Holder:
    @staticmethod
    def make(): return Net()

class NoInput(nn.Module):
    def forward(self, x=None): return torch.zeros(1)

trained = Net()
number = 7
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    (tmp_path / "layers.py").write_text("from torch import nn\ndef make_layer(width): return nn.Linear(width, 2)\n")
    path = tmp_path / "net.py"
    path.write_text(MODEL_FILE)
    return path


def refused(kind: type[Exception], name: str, *args: object, **kwargs: object) -> str:
    with pytest.raises(kind) as caught:
        models.find(name, *args, **kwargs)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    return message


# ---------------------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1x3x224x224", Input((1, 3, 224, 224))),
        (" 1 x 3 x 8 ", Input((1, 3, 8))),
        ("1×3×8", Input((1, 3, 8))),
        ("1X3,8", Input((1, 3, 8))),
        ("7", Input((7,))),
        ("1x128:int64", Input((1, 128), "int64")),
        ("1x128:long", Input((1, 128), "int64")),
        ("1x8:torch.bfloat16", Input((1, 8), "bfloat16")),
        ("input_ids=1x128:int64", Input((1, 128), "int64", "input_ids")),
        ("mask = 4 : bool", Input((4,), "bool", "mask")),
    ],
)
def test_an_input_is_read(text: str, expected: Input) -> None:
    assert parse_input(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "1x", "x3", "1xx3", "1x3x", "axb", "1x-3", "1.5x2", "1 3", "0x3", "1x0x2", "=1x2", "a b=1x2", "1a=3",
        "x=", "1x2:", "1x2:floaty", "1x2:qint8", "1x2:int64:int64", "a=b=1x2", "1x²", "9" * 30, "9" * 6000,
        "4000000000x4000000000", "1x3x224x224;", "(1,3)", "[1, 3]", "²", "\u0661x\u0662",
    ],
)  # fmt: skip
def test_a_malformed_input_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_input(text)
    assert "\n" not in str(caught.value)
    assert "--input" in str(caught.value)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=6), st.sampled_from(["", *DTYPES]))
def test_an_input_that_is_written_is_read_back(shape: list[int], dtype: str) -> None:
    text = "x".join(map(str, shape)) + (f":{dtype}" if dtype else "")
    assert parse_input(text) == Input(tuple(shape), dtype)


@given(st.text(max_size=30))
def test_any_text_is_an_input_or_is_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert parse_input(text).shape


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_tensor_of_every_dtype_can_be_made(dtype: str, device: str) -> None:
    before = torch.get_rng_state()
    tensor = make_tensor(Input((2, 3), dtype), device)
    assert (tuple(tensor.shape), str(tensor.dtype), tensor.device.type) == ((2, 3), f"torch.{dtype}", device)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("width=0.5", ("width", 0.5)),
        ("layers=[1, 2]", ("layers", [1, 2])),
        ("name=relu", ("name", "relu")),
        ("name='3'", ("name", "3")),
        ("flag=true", ("flag", True)),
        ("flag=False", ("flag", False)),
        ("norm=None", ("norm", None)),
        ("equation=a=b", ("equation", "a=b")),
        ("empty=", ("empty", "")),
    ],
)
def test_an_argument_is_read(text: str, expected: tuple[str, object]) -> None:
    key, value = parse_argument(text)
    assert (key, value) == expected
    assert type(value) is type(expected[1])


@pytest.mark.parametrize("text", ["width", "=3", "3=4", "a b=1", ""])
def test_a_malformed_argument_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--arg"):
        parse_argument(text)


# ------------------------------------------------------------------------------------------------------------- zoo


def test_names_are_known_without_torch() -> None:
    script = """
import sys
from mac_profiler import models
from mac_profiler.errors import ModelNotFound
assert "shufflenet_v2" in models.names()
assert models.entries() and "zoo:" not in models.complete("")
assert "shufflenet_v2_x0_5" in models.complete("shufflenet_v2_")
assert "torchvision:resnet50" in models.complete("torchvision:res")
assert "timm:resnet50" in models.complete("timm:resnet5")
try:
    models.find("shuflenet_v2")
except ModelNotFound as error:
    assert "'shufflenet_v2'" in str(error), error
else:
    raise AssertionError("found")
print("torch" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("False", "")


def test_a_model_of_the_zoo_takes_arguments_and_inputs() -> None:
    built = models.find("shufflenet_v1", {"groups": 8, "num_classes": 10}, ["2x3x64x64"])
    assert built.name == "shufflenet_v1"
    assert built.module.fc.weight.shape == (10, 1536)
    assert [tuple(tensor.shape) for tensor in built.args] == [(2, 3, 64, 64)]
    assert not built.module.training
    assert {tensor.device.type for tensor in (*built.args, *built.module.parameters())} == {"meta"}


def test_a_named_input_is_passed_by_its_name() -> None:
    built = models.find("mobilenet_v2", inputs=["x=1x3x32x32:float16"])
    assert built.args == ()
    assert built.kwargs["x"].dtype == torch.float16
    assert "twice" in refused(InvalidInput, "mobilenet_v2", None, ["x=1x3x32x32", "x=1x3x32x32"])


def test_building_leaves_the_random_generators() -> None:
    torch.manual_seed(1)
    random.seed(1)
    before, own = torch.get_rng_state(), random.getstate()
    for device in ("meta", "cpu"):
        models.find("shufflenet_v2_x0_5", device=device)
    assert torch.equal(before, torch.get_rng_state())
    assert own == random.getstate()


def test_a_name_of_no_model_suggests_near_ones() -> None:
    assert "'mobilenet_v2_x1_0'" in refused(ModelNotFound, "mobilenet_v2_x1_1")
    assert "torchvision:NAME" in refused(ModelNotFound, "efficientnet_b0")
    assert refused(ModelNotFound, "")


def test_an_unknown_argument_is_named() -> None:
    message = refused(InvalidInput, "shufflenet_v1", {"group": 2})
    assert "'group'" in message
    assert "'groups'" in message
    assert "groups is 5" in refused(ModelNotFound, "shufflenet_v1", {"groups": 5})


# ------------------------------------------------------------------------------------------------- torchvision, timm


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_names_read_from_the_source_are_those_that_the_package_lists(package: str) -> None:
    adapter = importlib.import_module(f"mac_profiler.adapters.{package}")
    loaded = compiled_operators.import_package(package, package)
    listed = loaded.models.list_models() if package == "torchvision" else loaded.list_models()
    assert adapter.names() == sorted(listed)


def torchvision_models() -> list[str]:
    loaded = compiled_operators.import_package("torchvision", "torchvision").models
    return [name for name in loaded.list_models() if ".detection" not in loaded.get_model_builder(name).__module__]


@pytest.mark.parametrize("name", torchvision_models())
def test_a_model_of_torchvision_is_what_its_weights_fit(name: str) -> None:
    weights = compiled_operators.import_package("torchvision", "torchvision").models.get_model_weights(name).DEFAULT
    built = models.find(f"torchvision:{name}")
    assert sum(parameter.numel() for parameter in built.module.parameters()) == weights.meta["num_params"]
    assert {parameter.device.type for parameter in built.module.parameters()} == {"meta"}
    assert not built.module.training


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("torchvision:inception_v3", {}, (1, 3, 299, 299)),
        ("torchvision:vit_h_14", {}, (1, 3, 518, 518)),
        ("torchvision:vit_h_14", {"image_size": 224}, (1, 3, 224, 224)),
        ("torchvision:fcn_resnet50", {}, (1, 3, 520, 520)),
        ("torchvision:r3d_18", {}, (1, 3, 16, 112, 112)),
        ("timm:resnet18", {}, (1, 3, 224, 224)),
        ("timm:resnet50.a1_in1k", {}, (1, 3, 224, 224)),
        ("timm:vit_tiny_patch16_384", {}, (1, 3, 384, 384)),
        ("timm:vit_tiny_patch16_384", {"img_size": 192, "in_chans": 1}, (1, 1, 192, 192)),
    ],
)
def test_the_default_input_is_what_the_model_was_made_for(
    name: str, arguments: dict[str, object], shape: tuple[int, ...]
) -> None:
    built = models.find(name, arguments)
    assert [tuple(tensor.shape) for tensor in built.args] == [shape]
    assert isinstance(built.module(*built.args), torch.Tensor | dict)


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_a_package_model_is_refused_in_one_line(package: str) -> None:
    assert "'resnet50'" in refused(ModelNotFound, f"{package}:resnet5O")
    assert "'widht'" in refused(InvalidInput, f"{package}:resnet18", {"widht": 3})
    assert refused(ModelNotFound, f"{package}:")


def test_weights_are_not_fetched() -> None:
    assert "not fetched" in refused(InvalidInput, "timm:resnet18", {"pretrained": True})


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_a_missing_package_names_the_extra_that_installs_it(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_operators, "find_spec", lambda _name: None)
    assert f"pip install 'macprof[{package}]'" in refused(MissingPackage, f"{package}:resnet18")


# ------------------------------------------------------------------------------------------------------- user's code


def test_a_callable_of_a_file_is_called_as_it_is(net: Path) -> None:
    before, path_before = torch.get_rng_state(), list(sys.path)
    built = models.find(f"{net}:build", {"width": 6}, ["3x6"])
    assert built.module.config.width == 6
    assert built.module.layer.weight.device.type == "cpu"
    assert built.module(*built.args).shape == (3, 2)
    assert torch.equal(before, torch.get_rng_state())
    assert sys.path == path_before
    copied = pickle.loads(pickle.dumps(built.module.config))  # noqa: S301 - dumped by the same line
    assert copied == built.module.config


@pytest.mark.parametrize("attribute", ["build", "Net", "Holder.make", "trained", "with_tensor", "passes_on"])
def test_every_kind_of_callable_is_found(net: Path, attribute: str) -> None:
    built = models.find(f"{net}:{attribute}", inputs=["5x4"])
    assert built.module(*built.args).shape == (5, 2)
    assert built.module.training == (attribute == "trained")


@pytest.mark.parametrize("attribute", ["with_tensor", "with_tuple", "with_mapping", "plain_callable"])
def test_example_inputs_come_with_the_model(net: Path, attribute: str) -> None:
    built = models.find(f"{net}:{attribute}")
    assert built.module(*built.args, **built.kwargs) is not None


def test_a_model_without_required_inputs_needs_none(net: Path) -> None:
    assert models.find(f"{net}:NoInput").args == ()
    assumed = models.find(f"{net}:build")
    assert [tuple(tensor.shape) for tensor in assumed.args] == [(1, 3, 224, 224)]
    assert "1x3x224x224 is assumed" in assumed.note


def test_a_module_is_imported_from_the_working_directory(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = net.parent / "macprof_try"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text("from torch import nn\ndef build(): return nn.Linear(2, 2)\n")
    monkeypatch.chdir(net.parent)
    assert models.find("macprof_try.net:build", inputs=["1x2"]).module.weight.shape == (2, 2)
    assert "'build'" in refused(ModelNotFound, "macprof_try.net:biuld")
    assert "macprof_try.nut" in refused(ModelNotFound, "macprof_try.nut:build")
    assert models.find("torch.nn:Linear", {"in_features": 3, "out_features": 4}, ["1x3"]).module.weight.shape == (4, 3)


def test_files_of_two_folders_keep_their_own_neighbours(net: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "layers.py").write_text("from torch import nn\ndef make_layer(width): return nn.Linear(width, 9)\n")
    (other / "net.py").write_text(MODEL_FILE)
    assert models.find(f"{net}:build", inputs=["1x4"]).module.layer.out_features == 2
    assert models.find(f"{other / 'net.py'}:build", inputs=["1x4"]).module.layer.out_features == 9
    assert models.find(f"{net}:build", inputs=["1x4"]).module.layer.out_features == 2


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("biuld", "'build'"),
        ("nothing_like_it", "has no 'nothing_like_it'"),
        ("returns_class", "not an instance"),
        ("returns_number", "returned int, not a torch.nn.Module"),
        ("raises", "ValueError: the bottleneck (net.py:"),
        ("leaves", "SystemExit: 3 (net.py:"),
        ("number", "of type int"),
        ("", "names no callable"),
    ],
)
def test_a_callable_that_gives_no_module_is_told_in_one_line(net: Path, attribute: str, says: str) -> None:
    assert says in refused(ModelNotFound, f"{net}:{attribute}", None, ["1x4"])


def test_arguments_that_a_callable_does_not_take_are_named(net: Path) -> None:
    assert "'widht'" in refused(InvalidInput, f"{net}:build", {"widht": 1})
    assert "'widht'" in refused(InvalidInput, f"{net}:passes_on", {"widht": 1})
    assert "'depth'" in refused(InvalidInput, f"{net}:needs")
    assert "'depth'" in refused(InvalidInput, f"{net}:trained", {"depth": 1})


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import torch\n\nraise RuntimeError('no data here')\n", "RuntimeError: no data here (bad.py:3)"),
        ("def build(:\n", "SyntaxError: invalid syntax (bad.py:1)"),
        ("import nothing_of_that_name\n", "No module named 'nothing_of_that_name' (bad.py:1)"),
        ("import json\nx = 1\njson.loads('{')\n", "(bad.py:3)"),
        ("import sys\nsys.exit('usage: bad')\n", "SystemExit: usage: bad (bad.py:2)"),
        ("assert False\n", "AssertionError (bad.py:1)"),
    ],
)
def test_a_file_that_raises_on_import_is_told_in_one_line(tmp_path: Path, code: str, says: str) -> None:
    (tmp_path / "bad.py").write_text(code)
    loaded, path_before = set(sys.modules), list(sys.path)
    assert says in refused(ModelNotFound, f"{tmp_path / 'bad.py'}:build")
    assert not [name for name in set(sys.modules) - loaded if name.startswith("bad")]
    assert sys.path == path_before


def test_a_file_that_is_not_there_suggests_its_neighbours(net: Path) -> None:
    assert "'net.py'" in refused(ModelNotFound, f"{net.parent / 'nett.py'}:build")
    assert "folder" in refused(ModelNotFound, f"{net.parent}/:build")
    assert "names no callable" in refused(ModelNotFound, str(net))
    assert "no module named" in refused(ModelNotFound, "macprof_no_such_package.net:build")

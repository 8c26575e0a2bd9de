"""Weights are loaded whole or not at all, nothing in a file is run, and what does not fit is told in one line."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import warnings
import zipfile
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from mac_profiler import api, cross_check, models
from mac_profiler.adapters.zoo import read_table
from mac_profiler.cli import main
from mac_profiler.compiled_operators import import_package
from mac_profiler.errors import WeightsFailed
from mac_profiler.models import Built
from mac_profiler.registry import modules_of
from mac_profiler.weights import fill, read_checkpoint

NETS = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=4, bare=False):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 1)
        self.norm = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, 2)
    def forward(self, x):
        return self.fc(self.norm(self.conv(x)).mean([2, 3]))

class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()
    def forward(self, x):
        return self.net(x)

class PartCompiled(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.ModuleDict({"_orig_mod": nn.Linear(2, 2)})
        self.head = nn.Linear(2, 2)

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.head = nn.Linear(2, 2)
    def forward(self, x):
        return self.head(self.body(x))

class Decides(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("repeats", torch.tensor(1))
        self.layer = nn.Linear(4, 4)
    def forward(self, x):
        for _ in range(self.repeats.item()):
            x = self.layer(x)
        return x

class Scalar(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(()))
    def forward(self, x):
        return x * self.scale

class Keeps(nn.Linear):
    def get_extra_state(self):
        return {"calls": 3}
    def set_extra_state(self, state):
        self.calls = state["calls"]

def on_meta():
    with torch.device("meta"):
        return Keeps(2, 2)

class Stubborn(nn.Linear):
    def _load_from_state_dict(self, *args):
        super()._load_from_state_dict(*args)
        raise RuntimeError("these weights\\nare too old")

def function():
    return torch.relu, torch.zeros(3)

trained = Net()
"""


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return path


def save(path: Path, what: object, **how: Any) -> Path:
    torch.save(what, path, **how)
    return path


def randomize(module: nn.Module) -> nn.Module:
    """Every tensor random, running statistics too, so that two networks of the same logits have the same weights."""
    generator = torch.Generator().manual_seed(5)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape, generator=generator)
            tensor.copy_(noise + 0.5 if name.endswith("running_var") else (noise - 0.5) * 0.3)
    return module.eval()


def state_of(nets: Path, name: str = "Net", **arguments: object) -> OrderedDict[str, Tensor]:
    module = models.find(f"{nets}:{name}", arguments, ["1x3x4x4"]).module
    return OrderedDict(randomize(module).state_dict())


def loaded(nets: Path, file: Path, name: str = "Net", **arguments: object) -> Built:
    return models.find(f"{nets}:{name}", arguments, ["1x3x4x4"], weights=file)


def refused(name: str, file: str | os.PathLike[str], **given: Any) -> str:
    with pytest.raises(WeightsFailed) as caught:
        models.find(name, weights=file, **given)
    message = str(caught.value)
    assert "\n" not in message
    assert message.count("--weights") == 1
    return message


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(["analyze", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def data_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    status, out, err = run(capsys, *arguments, "--format", "json")
    assert (status, err) == (0, "")
    return dict(json.loads(out))


# ------------------------------------------------------------------------------------------------------ torchvision's

pairs = [
    *((f"shufflenet_v2_{width}", f"shufflenet_v2_{width}", {}) for width in ("x0_5", "x1_0", "x1_5", "x2_0")),
    ("shufflenet_v2", "shufflenet_v2_x1_0", {}),
    ("ShuffleNet V2", "shufflenet_v2_x1_0", {"num_classes": 7}),
    ("mobilenet_v2", "mobilenet_v2", {}),
    ("mobilenet_v2_x0_35", "mobilenet_v2", {"width_mult": 0.35, "num_classes": 7}),
    ("mobilenet_v2_x1_4", "mobilenet_v2", {"width_mult": 1.4}),
]


@pytest.mark.parametrize(("name", "theirs", "arguments"), pairs, ids=lambda value: str(value))
def test_torchvision_weights_give_torchvision_logits(
    tmp_path: Path, name: str, theirs: str, arguments: dict[str, Any]
) -> None:
    torchvision = import_package("torchvision", "torchvision")
    reference = randomize(torchvision.models.get_model(theirs, weights=None, **arguments))
    file = save(tmp_path / "theirs.pth", reference.state_dict())
    built = models.find(name, weights=file, device="cpu")
    image = torch.rand(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(built.module(image), reference(image), rtol=0, atol=0)


def test_a_command_takes_weights_and_counts_the_network_that_they_are_of(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    reference = import_package("torchvision", "torchvision").models.shufflenet_v2_x1_0(weights=None)
    file = str(save(tmp_path / "tv.pth", {"state_dict": reference.state_dict(), "epoch": 3}))
    theirs = data_of(capsys, "--model", "torchvision:shufflenet_v2_x1_0", "--weights", file)
    ours = data_of(capsys, "--model", "shufflenet_v2", "--weights", file)
    assert ours["totals"]["mult_adds"] == theirs["totals"]["mult_adds"] == 144_907_992
    assert ours["totals"]["parameters"] == theirs["totals"]["parameters"]
    said = f"--weights {file}: 338 tensors checked by name and shape; taken from 'state_dict'"
    assert ours["notes"] == [f"{said}; equal_branches=True as in the file"]
    assert "equal_branches=True as in the" in run(capsys, "--model", "shufflenet_v2", "-w", file)[1]


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_weights_leave_the_figures_as_they_are(capsys: pytest.CaptureFixture[str], tmp_path: Path, device: str) -> None:
    command = ["--model", "mobilenet_v2_x0_35_r96", "--device", device]
    half = models.find("mobilenet_v2_x0_35", device="cpu").module.half().state_dict()
    file = save(tmp_path / "half.pth", half)
    without, with_weights = data_of(capsys, *command), data_of(capsys, *command, "--weights", str(file))
    done = "checked by name and shape" if device == "meta" else "loaded"
    assert with_weights.pop("notes") == [f"--weights {file}: 314 tensors {done}"]
    assert without.pop("notes") == []
    assert with_weights == without


def test_every_source_of_models_takes_weights(tmp_path: Path, nets: Path) -> None:
    torchvision = import_package("torchvision", "torchvision")
    reference = randomize(torchvision.models.squeezenet1_1(weights=None))
    file = save(tmp_path / "squeezenet.pth", reference.state_dict())
    for name in ("torchvision:squeezenet1_1", "squeezenet1_1"):
        module = models.find(name, weights=file, device="cpu").module
        assert torch.equal(module.classifier[1].weight, reference.state_dict()["classifier.1.weight"])
    state = state_of(nets)
    assert torch.equal(loaded(nets, save(tmp_path / "net.pth", state)).module.fc.weight, state["fc.weight"])


def test_a_model_of_timm_takes_weights(tmp_path: Path) -> None:
    timm = import_package("timm", "timm")
    reference = randomize(timm.create_model("mobilenetv3_small_050"))
    file = save(tmp_path / "timm.pth", {"state_dict": reference.state_dict()})
    module = models.find("timm:mobilenetv3_small_050", weights=file, device="cpu").module
    assert torch.equal(module.classifier.weight, reference.state_dict()["classifier.weight"])


# ------------------------------------------------------------------------------------------------ what a file shows


def zoo_names() -> list[str]:
    tables = [(module, read_table(module)) for module in modules_of("mac_profiler.zoo")]
    offering = [table for module, table in tables if hasattr(importlib.import_module(module), "arguments_for")]
    return [name for table in offering for name in table["VARIANTS"]]


@pytest.mark.parametrize("name", zoo_names())
def test_a_models_own_weights_change_none_of_its_arguments(name: str) -> None:
    zoo = importlib.import_module("mac_profiler.adapters.zoo")
    for arguments in ({}, {"num_classes": 7}):
        state = models.find(name, arguments).module.state_dict()
        assert zoo.evident(name, {key: tuple(tensor.shape) for key, tensor in state.items()}) == arguments


SHOWING = (
    "fc.bias", "stage2.0.branch2.0.weight", "stage2.0.branch1.2.weight", "stage2.0.branch2.3.weight",
    "stage2.0.branch2.5.weight", "classifier.1.bias", "features.0.1.bias", "features.18.1.bias",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(SHOWING), st.lists(st.integers(0, 60), max_size=5).map(tuple)))
def test_foreign_shapes_are_no_error(shapes: dict[str, tuple[int, ...]]) -> None:
    for family in ("shufflenet_v2", "mobilenet_v2"):
        found = importlib.import_module(f"mac_profiler.zoo.{family}").arguments_for(shapes)
        assert set(found) <= {"num_classes", "field", "equal_branches"}
        if "num_classes" in found:
            assert (found["num_classes"],) in (shapes.get("fc.bias"), shapes.get("classifier.1.bias"))


@pytest.mark.parametrize(
    ("name", "made_with", "seen"),
    [
        ("shufflenet_v2_x1_0", {"se": True}, "se=True as in the file"),
        ("shufflenet_v2_x0_5", {"field": True, "num_classes": 3}, "num_classes=3 as in the file; field=True as in"),
        ("shufflenet_v2_x2_0", {"equal_branches": True}, "equal_branches=True as in the file"),
        ("shufflenet_v2", {"field": True, "equal_branches": True}, "field=True as in the file; equal_branches=True as"),
        ("shufflenet_v2", {"residual": True}, ""),
    ],
)
def test_a_model_is_built_as_its_weights_were_made(
    tmp_path: Path, name: str, made_with: dict[str, object], seen: str
) -> None:
    file = save(tmp_path / "made.pth", models.find(name, made_with, device="cpu").module.state_dict())
    note = models.find(name, weights=file).note
    assert seen in note
    assert ("as in the file" in note) == bool(seen)


def test_what_the_user_says_goes_before_what_the_file_shows(tmp_path: Path) -> None:
    state = models.find("shufflenet_v2", {"equal_branches": True, "num_classes": 7}, device="cpu").module.state_dict()
    file = save(tmp_path / "equal.pth", state)
    message = refused("shufflenet_v2", file, arguments={"num_classes": 9})
    assert "2 tensors of another shape" in message
    assert "'fc.weight' first (7x1024 in the file, 9x1024 in the model)" in message
    message = refused("shufflenet_v2", file, arguments={"equal_branches": False})
    assert "10 tensors of another shape" in message
    assert "'stage2.0.branch1.2.weight' first (58x24x1x1 in the file, 24x24x1x1 in the model)" in message


# -------------------------------------------------------------------------------------------------------- wrappings


def under(prefix: str) -> Callable[[Mapping[str, Tensor]], object]:
    return lambda state: OrderedDict((prefix + name, tensor) for name, tensor in state.items())


def entry(name: str, state: Mapping[str, Tensor]) -> object:
    return {"epoch": 3, name: state}


WRAPPINGS: dict[str, tuple[Callable[[Mapping[str, Tensor]], object], str]] = {
    "plain": (lambda state: state, ""),
    "dict": (dict, ""),
    **{
        name: (partial(entry, name), f"; taken from '{name}'")
        for name in ("state_dict", "model", "model_state_dict", "model_ema", "net", "anything")
    },
    "nested": (lambda state: {"model": {"state_dict": state, "step": 1}}, "; taken from 'model.state_dict'"),
    "with optimizer": (
        lambda state: {
            "optimizer": {"state": {0: {"exp_avg": torch.ones(1)}}, "param_groups": [{"lr": 0.1}]},
            "named": {"state": {"fc.weight": {"exp_avg": torch.ones(1)}}},
            "model_ema": state,
            "model": state,
            "loss": torch.ones(1),
        },
        "; taken from 'model', not from 'model_ema'",
    ),
    "data parallel": (under("module."), "; names read without 'module.'"),
    "compiled": (under("_orig_mod."), "; names read without '_orig_mod.'"),
    "compiled data parallel": (under("_orig_mod.module."), "; names read without 'module.' and '_orig_mod.'"),
    "lightning": (
        lambda state: {"pytorch-lightning_version": "2.5", "state_dict": under("model.")(state)},
        "; taken from 'state_dict'; names read without 'model.'",
    ),
    "averaged": (
        lambda state: {**dict(under("module.")(state)), "n_averaged": torch.tensor(8)},  # type: ignore[call-overload]
        "; 'n_averaged' left out; names read without 'module.'",
    ),
}


@pytest.mark.parametrize("kind", WRAPPINGS)
def test_the_usual_wrappings_are_unwrapped_and_told(tmp_path: Path, nets: Path, kind: str) -> None:
    wrap, said = WRAPPINGS[kind]
    state = state_of(nets)
    file = save(tmp_path / "net.pth", wrap(state))
    built = loaded(nets, file)
    for name, tensor in built.module.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert built.note == f"--weights {file}: {len(state)} tensors loaded{said}"


def test_wrapped_weights_of_the_zoo_show_their_arguments(tmp_path: Path) -> None:
    state = models.find("shufflenet_v2", {"num_classes": 3, "equal_branches": True}, device="cpu").module.state_dict()
    wrapped = {"state_dict": {**{f"module._orig_mod.{k}": v for k, v in state.items()}, "n_averaged": torch.ones(())}}
    note = models.find("shufflenet_v2", weights=save(tmp_path / "wrapped.pth", wrapped)).note
    assert "num_classes=3 as in the file; equal_branches=True as in the file" in note


def test_what_is_assumed_is_told_beside_what_was_loaded(tmp_path: Path, nets: Path) -> None:
    file = save(tmp_path / "net.pth", state_of(nets))
    note = models.find(f"{nets}:Net", weights=file).note
    assert note.startswith(f"--weights {file}: 9 tensors loaded; no input was given: 1x3x224x224 is assumed")


def test_a_wrapped_model_takes_the_weights_of_what_it_wraps(tmp_path: Path, nets: Path) -> None:
    state = state_of(nets)
    built = loaded(nets, save(tmp_path / "net.pth", state), "Wrapped")
    assert torch.equal(built.module.net.fc.weight, state["fc.weight"])
    assert "names read with 'net.' before them" in built.note


def test_a_part_that_was_compiled_is_that_part(tmp_path: Path, nets: Path) -> None:
    compiled = state_of(nets, "PartCompiled")
    assert "body._orig_mod.weight" in compiled
    module = loaded(nets, save(tmp_path / "part.pth", compiled), "Plain").module
    assert torch.equal(module.body.weight, compiled["body._orig_mod.weight"])
    plain = state_of(nets, "Plain")
    module = loaded(nets, save(tmp_path / "plain.pth", plain), "PartCompiled").module
    assert torch.equal(module.body["_orig_mod"].weight, plain["body.weight"])


def test_two_names_never_become_one(tmp_path: Path, nets: Path) -> None:
    state = state_of(nets, "Plain")
    both = {**state, "body._orig_mod.weight": state["body.weight"]}
    assert "1 tensor of the file not in the model" in refused(
        f"{nets}:Plain", save(tmp_path / "both.pth", both), inputs=["1x2"]
    )


# ----------------------------------------------------------------------------------------------- how it is loaded


def test_files_of_before_the_zip_format_are_read(tmp_path: Path, nets: Path) -> None:
    state = state_of(nets)
    file = save(tmp_path / "old.pth", state, _use_new_zipfile_serialization=False)
    assert file.read_bytes()[:1] == b"\x80"
    assert torch.equal(loaded(nets, file).module.conv.weight, state["conv.weight"])


def test_what_older_modules_wrote_is_translated(tmp_path: Path, nets: Path) -> None:
    import_package("torchvision", "torchvision")
    # Its layers were called linear_1 and linear_2 in version 1, which is that of a state without one.
    state = {f"linear_{i}.{kind}": torch.rand(4, 4) for i in (1, 2) for kind in ("weight", "bias")}
    state = {key: tensor if key.endswith("weight") else tensor[0] for key, tensor in state.items()}
    name = "torchvision.models.vision_transformer:MLPBlock"
    arguments = {"in_dim": 4, "mlp_dim": 4, "dropout": 0.0}
    file = save(tmp_path / "mlp.pth", state)
    module = models.find(name, arguments, ["1x4"], weights=file).module
    assert torch.equal(module[3].weight, state["linear_2.weight"])
    file = save(tmp_path / "wrapped.pth", {f"module.{key}": tensor for key, tensor in state.items()})
    assert torch.equal(models.find(name, arguments, ["1x4"], weights=file).module[3].weight, state["linear_2.weight"])
    # Batch-norm did not count its batches once.
    old = {key: tensor for key, tensor in state_of(nets).items() if not key.endswith("num_batches_tracked")}
    assert torch.equal(loaded(nets, save(tmp_path / "bn.pth", old)).module.norm.weight, old["norm.weight"])


def test_versions_of_modules_come_through_a_wrapping(tmp_path: Path) -> None:
    # With its version, a state whose names are the old ones is refused: nobody translates it.
    import_package("torchvision", "torchvision")
    name, arguments = "torchvision.models.vision_transformer:MLPBlock", {"in_dim": 4, "mlp_dim": 4, "dropout": 0.0}
    now: Any = nn.DataParallel(models.find(name, arguments, ["1x4"]).module).state_dict()
    assert now._metadata["module"]["version"] == 2
    renamed = OrderedDict((key.replace("module.0.", "module.linear_1."), tensor) for key, tensor in now.items())
    renamed._metadata = now._metadata  # type: ignore[attr-defined]
    file = save(tmp_path / "mlp.pth", renamed)
    message = refused(name, file, arguments=arguments, inputs=["1x4"])
    assert "2 tensors of the model missing in the file, '0.weight' first" in message
    assert "2 tensors of the file not in the model, 'module.linear_1.weight' first" in message


def test_a_scalar_of_torch_0_3_is_read(tmp_path: Path, nets: Path) -> None:
    assert loaded(nets, save(tmp_path / "s.pth", {"scale": torch.full((1,), 3.0)}), "Scalar").module.scale.item() == 3


def test_extra_state_is_passed_on(tmp_path: Path, nets: Path) -> None:
    arguments = {"in_features": 2, "out_features": 2}
    file = save(tmp_path / "keeps.pth", {"model": models.find(f"{nets}:Keeps", arguments).module.state_dict()})
    assert models.find(f"{nets}:Keeps", arguments, weights=file).module.calls == 3
    assert "3 tensors checked by name and shape" in models.find(f"{nets}:on_meta", weights=file).note


def test_element_types_and_devices_of_the_model_stay(tmp_path: Path) -> None:
    state = models.find("shufflenet_v2_x0_5", device="cpu").module.double().state_dict()
    module = models.find("shufflenet_v2_x0_5", weights=save(tmp_path / "double.pth", state), device="cpu").module
    assert {tensor.dtype for tensor in module.parameters()} == {torch.float32}
    module = models.find("shufflenet_v2_x0_5", weights=tmp_path / "double.pth").module
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"meta"}


def test_random_generators_and_warnings_are_left(tmp_path: Path) -> None:
    file = save(tmp_path / "net.pth", models.find("shufflenet_v2_x0_5", device="cpu").module.state_dict())
    before, own = torch.get_rng_state(), random.getstate()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for device in ("meta", "cpu"):
            models.find("shufflenet_v2_x0_5", weights=file, device=device)
    assert torch.equal(before, torch.get_rng_state())
    assert own == random.getstate()


def test_values_decide_where_the_model_asks_for_them(tmp_path: Path, nets: Path) -> None:
    state = state_of(nets, "Decides")
    state["repeats"] = torch.tensor(5)
    file = save(tmp_path / "five.pth", state)
    once = api.analyze_named(f"{nets}:Decides", inputs=["1x4"])
    five = api.analyze_named(f"{nets}:Decides", inputs=["1x4"], weights=file)
    assert five.total.mult_adds == 5 * once.total.mult_adds > 0


def test_a_model_that_is_built_again_with_data_gets_the_weights_again(
    tmp_path: Path, nets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = state_of(nets, "Decides")
    state["repeats"] = torch.tensor(5)
    file = save(tmp_path / "five.pth", state)
    find = models.find

    def find_on(name: str, *given: Any, device: str, **more: Any) -> Built:
        built = find(name, *given, device="cpu", **more)
        built.module.to(device)
        return Built(name, built.module, tuple(tensor.to(device) for tensor in built.args))

    monkeypatch.setattr(models, "find", find_on)
    profile = api.analyze_named(f"{nets}:Decides", inputs=["1x4"], weights=file)
    assert profile.graph.mode != "assume"
    assert profile.total.mult_adds == 5 * 16
    peers = cross_check.compare_named(profile, f"{nets}:Decides", arguments={}, inputs=["1x4"], weights=file)
    assert {answer.mult_adds for answer in peers.answers} == {5 * 16}


def test_the_cross_check_is_of_the_same_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = models.find("shufflenet_v2_x1_0", {"equal_branches": True}, device="cpu").module.state_dict()
    file = str(save(tmp_path / "equal.pth", state))
    data = data_of(capsys, "--model", "shufflenet_v2", "--weights", file, "--cross-check")
    answers = {answer["peer"]: answer["mult_adds"] for answer in data["cross_check"]["answers"]}
    assert answers["FlopCounterMode"] == 144_907_992


# --------------------------------------------------------------------------------------------- what does not fit


def without(*names: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda state: {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("conv.bias", "fc.weight"), "2 tensors of the model missing in the file, 'conv.bias' first;"),
        (lambda state: {**state, "head.w": torch.ones(1)}, ": 1 tensor of the file not in the model, 'head.w' first;"),
        (
            lambda state: {**state, "fc.weight": torch.ones(3, 4)},
            ": 1 tensor of another shape or kind, 'fc.weight' first (3x4 in the file, 2x4 in the model);",
        ),
        (lambda state: {**state, "fc.bias": torch.ones(())}, "'fc.bias' first (a scalar in the file, 2 in the model)"),
        (
            lambda state: {**without("fc.bias")(state), "fc.weight": torch.ones(1), "fc.b": torch.ones(2)},
            "'fc.bias' first; 1 tensor of the file not in the model, 'fc.b' first; 1 tensor of another shape or kind, ",
        ),
        (lambda state: {**state, "fc.weight": torch.ones(2, 4, dtype=torch.int8)}, "(int8 strided in the file, f"),
        (lambda state: {**state, "fc.weight": torch.ones(2, 4) * 1j}, "(complex64 strided in the file, float32"),
        (lambda state: {**state, "fc.weight": torch.ones(2, 4).to_sparse()}, "(float32 sparse_coo in the file, f"),
        (
            lambda state: {**state, "fc.weight": torch.quantize_per_tensor(torch.ones(2, 4), 0.1, 0, torch.qint8)},
            "(qint8 strided in the file, float32",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_counted_and_nothing_is_changed(
    tmp_path: Path, nets: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]], says: str
) -> None:
    module = models.find(f"{nets}:Net", inputs=["1x3x4x4"]).module
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates its quantized tensors
        checkpoint = read_checkpoint(save(tmp_path / "other.pth", change(dict(state_of(nets)))))
    with pytest.raises(WeightsFailed) as caught:
        fill(module, checkpoint, "net")
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"--weights {checkpoint.path} does not fit net: ")
    assert "\n" not in str(caught.value)
    for key, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[key]), key


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_the_weights_of_another_network_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, device: str
) -> None:
    file = str(save(tmp_path / "half.pth", models.find("shufflenet_v2_x0_5", device="cpu").module.state_dict()))
    for name in ("shufflenet_v2_x1_0", "mobilenet_v2", "shufflenet_v1", "resnet50", "alexnet"):
        status, out, err = run(capsys, "--model", name, "--weights", file, "--device", device)
        assert (status, out) == (2, "")
        assert err.startswith(f"macprof: --weights {file} does not fit {name}: ")
        assert err.count("\n") == 1


def test_a_module_with_its_own_way_of_loading_may_refuse(tmp_path: Path, nets: Path) -> None:
    arguments = {"in_features": 2, "out_features": 2}
    module = models.find(f"{nets}:Stubborn", arguments).module
    before = module.weight.clone()
    checkpoint = read_checkpoint(save(tmp_path / "w.pth", {key: t + 1 for key, t in module.state_dict().items()}))
    with pytest.raises(WeightsFailed, match="does not fit net: these weights are too old;"):
        fill(module, checkpoint, "net")
    assert torch.equal(module.weight, before)


def test_what_is_no_module_takes_no_weights(tmp_path: Path, nets: Path) -> None:
    file = save(tmp_path / "w.pth", {"weight": torch.ones(1)})
    assert "is a builtin_function_or_method, no torch.nn.Module" in refused(f"{nets}:function", file)


# ------------------------------------------------------------------------------------------------- foreign files


class Creates:
    """Runs code when it is unpickled, unless somebody sees to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def pickled(what: object, protocol: int) -> bytes:
    return pickle.dumps(what, protocol=protocol)


@pytest.mark.parametrize(
    "how",
    ["zip", "legacy", "among tensors", *(f"pickle {protocol}" for protocol in range(pickle.HIGHEST_PROTOCOL + 1))],
)
def test_nothing_in_a_file_is_run(capsys: pytest.CaptureFixture[str], tmp_path: Path, how: str) -> None:
    file, made = tmp_path / "evil.pth", tmp_path / "made"
    evil: Any = Creates(made)
    if how.startswith("pickle"):
        file.write_bytes(pickled(evil, int(how[-1])))
    else:
        evil = {"state_dict": {"weight": torch.ones(1)}, "more": evil} if how == "among tensors" else evil
        torch.save(evil, file, _use_new_zipfile_serialization=how != "legacy")
    status, out, err = run(capsys, "--model", "shufflenet_v2", "--weights", str(file))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert not made.exists()
    with file.open("rb") as stream, suppress(Exception):
        torch.load(stream, weights_only=False)
    assert made.exists() or how == "among tensors", "the file is harmless, so that nothing was tested"


def zipped(**members: str) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return stream.getvalue()


def saved(what: object, **how: Any) -> bytes:
    stream = BytesIO()
    torch.save(what, stream, **how)
    return stream.getvalue()


def scripted() -> bytes:
    stream = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates its scripts
        torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)), stream)
    return stream.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (bytes, "the file is empty"),
    "a byte": (lambda: b"\x80", "damaged, cut short, or not made by torch.save"),
    "PNG": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(40), "no checkpoint: it begins with b'\\x89PNG"),
    "text": (lambda: b"channels: 3\nwidth: 4\n", "no checkpoint: it begins with b'channels: 3"),
    "JSON": (lambda: b'{"weight_map": {}}', "no checkpoint: it begins with b'{\"weight_map"),
    "page": (lambda: b"<!DOCTYPE html><html>not found</html>", "begins with b'<!DOCTYPE html>"),
    "zip": (lambda: zipped(readme="hello", folder__file="x"), "a zip archive, but no checkpoint"),
    "empty zip": (zipped, "a zip archive, but no checkpoint"),
    "zip of a checkpoint": (lambda: zipped(**{"a__b__data.pkl": "x"}), "a zip archive, but no checkpoint"),
    "zip like a checkpoint": (lambda: zipped(**{"archive__data.pkl": "x"}), "damaged, cut short, or not made by"),
    "TorchScript": (scripted, "a TorchScript archive; convert it: torch.save(torch.jit.load(FILE).state_dict()"),
    "safetensors": (safetensors, "a safetensors file; convert it: torch.save(safetensors.torch.load_file(FILE)"),
    "pickle": (lambda: pickled({"weight": [1.0]}, 4), "(UnpicklingError: Unsupported operand 149); copy"),
    "whole module": (lambda: saved(nn.Linear(2, 2)), "besides tensors it holds 'torch.nn.modules.linear.Linear'"),
    "whole module of before": (
        lambda: saved(nn.Linear(2, 2), _use_new_zipfile_serialization=False), "'torch.nn.modules.linear.Linear'",
    ),
    "training arguments": (lambda: saved({"model": {"w": torch.ones(1)}, "args": Namespace()}), "'argparse.Namespace'"),
    "a tensor": (lambda: saved(torch.ones(2)), "no state_dict: it is of type Tensor"),
    "a list": (lambda: saved([torch.ones(2)]), "no state_dict: it is of type list"),
    "no tensors": (lambda: saved({"epoch": 3, "lr": 0.1}), "no state_dict: there is no tensor among 'epoch', 'lr'"),
    "nothing": (lambda: saved({}), "no state_dict: it is an empty mapping"),
    "mixture": (lambda: saved({"w": torch.ones(1), "epoch": 3}), "no state_dict: beside tensors there is 'epoch'"),
    "numbers": (lambda: saved({0: torch.ones(1)}), "no state_dict: its tensors have no names"),
    "extra state alone": (lambda: saved({"a._extra_state": 1}), "no state_dict: there is no tensor among"),
    "two": (
        lambda: saved({"student": {"w": torch.ones(1)}, "teacher": {"w": torch.ones(1)}}),
        "it holds 2 state_dicts ('student', 'teacher'); save the one that is meant",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_told_in_one_line(tmp_path: Path, kind: str) -> None:
    make, says = FOREIGN[kind]
    file = tmp_path / "weights.pth"
    file.write_bytes(make())
    message = refused("shufflenet_v2_x0_5", file)
    assert says in message
    assert "; " in message, "no remedy"


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mac_profiler", "analyze", "--model", "shufflenet_v2", *arguments],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60,
    )  # fmt: skip


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, says in (
        (str(pipe), "a pipe or a device"),
        ("/dev/zero", "a pipe or a device"),
        (str(tmp_path), "folder"),
    ):
        done = process("--weights", path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"macprof: --weights {path}: it is ")
        assert says in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_suggests_its_neighbours(tmp_path: Path) -> None:
    save(tmp_path / "shufflenet.pth", {})
    assert "no such file. Did you mean 'shufflenet.pth'?" in refused("shufflenet_v2", tmp_path / "shuflenet.pth")
    assert "no such file. Give another." in refused("shufflenet_v2", tmp_path / "no" / "folder" / "weights.pth")
    assert "Not a directory; give" in refused("shufflenet_v2", tmp_path / "shufflenet.pth" / "weights.pth")
    assert "the name is empty" in refused("shufflenet_v2", "")
    assert "null" in refused("shufflenet_v2", "a\0b")
    assert "too long" in refused("shufflenet_v2", "a" * 5000)


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = save(tmp_path / "weights.pth", {"weight": torch.ones(1)})
    if os.geteuid() == 0:  # who may read everything

        def denied(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)
    else:
        file.chmod(0)
    assert "Permission denied; give a file that can be read" in refused("shufflenet_v2", file)


@cache
def whole(legacy: bool) -> bytes:
    state = {"weight": torch.arange(12.0).reshape(4, 3), "bias": torch.ones(4)}
    return saved(state, _use_new_zipfile_serialization=not legacy)


@given(legacy=st.booleans(), part=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused_wherever_it_ends(
    tmp_path_factory: pytest.TempPathFactory, legacy: bool, part: float
) -> None:
    data = whole(legacy)
    file = tmp_path_factory.getbasetemp() / "cut.pth"
    file.write_bytes(data[: int(part * len(data))])
    refused("torch.nn:Linear", file, arguments={"in_features": 3, "out_features": 4}, inputs=["1x3"])


@given(legacy=st.booleans(), place=st.floats(0, 1, exclude_max=True), noise=st.binary(min_size=1, max_size=8))
def test_a_damaged_file_is_loaded_or_refused(
    tmp_path_factory: pytest.TempPathFactory, legacy: bool, place: float, noise: bytes
) -> None:
    data = bytearray(whole(legacy))
    start = int(place * len(data))
    data[start : start + len(noise)] = noise
    file = tmp_path_factory.getbasetemp() / "damaged.pth"
    file.write_bytes(bytes(data))
    with suppress(WeightsFailed):
        models.find("torch.nn:Linear", {"in_features": 3, "out_features": 4}, ["1x3"], weights=file)


@given(st.binary(max_size=60).map(lambda noise: b"\x80\x02" + noise))
def test_any_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "noise.pth"
    file.write_bytes(data)
    refused("torch.nn:Linear", file, arguments={"in_features": 3, "out_features": 4}, inputs=["1x3"])


def test_a_bad_file_is_found_before_the_model_is_built(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('imported')")
    assert "no such file" in refused(f"{broken}:net", tmp_path / "weights.pth")


@pytest.mark.parametrize("where", [0.3, 0.5, 0.7])
def test_a_byte_that_changed_is_noticed(tmp_path: Path, where: float) -> None:
    file = save(tmp_path / "flipped.pth", models.find("shufflenet_v2_x0_5", device="cpu").module.state_dict())
    data = bytearray(file.read_bytes())
    data[int(where * len(data))] ^= 1
    file.write_bytes(data)
    assert "differs from its checksum" in refused("shufflenet_v2_x0_5", file)


def test_a_file_without_checksums_is_taken(tmp_path: Path) -> None:
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        file = save(tmp_path / "plain.pth", models.find("shufflenet_v2_x0_5", device="cpu").module.state_dict())
    finally:
        torch.serialization.set_crc32_options(before)
    assert "338 tensors loaded" in models.find("shufflenet_v2_x0_5", device="cpu", weights=file).note

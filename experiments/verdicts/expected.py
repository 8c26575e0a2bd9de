"""What the paper says of networks in its own text, and what macprof is held to say of others, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """A network, and what is said of it.

    Attributes:
        model: name in the zoo.
        title: what a reader calls it.
        broken: rules that have to find something; nothing else may be more than a note.
        allowed: rules that may find something, and why that is no contradiction.
        because: the paper's words in short, or the reason.
        by_paper: it is the paper that says so.
    """

    model: str
    title: str
    broken: tuple[str, ...]
    because: str
    allowed: tuple[str, ...] = ()
    by_paper: bool = False


JUDGED = (
    Judged(
        "shufflenet_v1", "ShuffleNet V1", ("G202", "G103", "G404"),
        "section 3: pointwise group convolutions (G2), bottleneck-like blocks (G1), additions of the shortcut (G4)",
        by_paper=True,
    ),
    Judged(
        "mobilenet_v2", "MobileNet V2", ("G104", "G405"),
        "section 3: inverted bottleneck (G1), depthwise convolutions and ReLU on thick maps (G4)", by_paper=True,
    ),
    Judged(
        "nasnet_mobile", "NASNet-A", ("G301",),
        "sections 2 and 3: highly fragmented (G3); additions with an identity inside of its cells are G4",
        allowed=("G404",), by_paper=True,
    ),
    Judged(
        "pnasnet5_mobile", "PNASNet-5", ("G301",),
        "sections 2 and 3: highly fragmented (G3); additions with an identity or a pooling inside of its cells are G4",
        allowed=("G404",), by_paper=True,
    ),
    Judged(
        "shufflenet_v2", "ShuffleNet V2", ("G406",),
        "section 3: follows G1 to G3; concatenation, shuffle and split are separate here (G4)", by_paper=True,
    ),
    Judged(
        "shufflenet_v2_x1_0_fused", "ShuffleNet V2, merged", (),
        "section 3: the three are merged into a single element-wise operation", by_paper=True,
    ),
    Judged(
        "resnet18", "ResNet-18", (), "blocks of two full convolutions of one width: most of its time is computing",
    ),
    Judged(
        "resnet50", "ResNet-50", ("G103", "G404"),
        "bottlenecks of 4 : 1, and additions of maps of 256 channels and more: the unit of the paper's Table 4",
    ),
    Judged("mobilenet_v1", "MobileNet V1", (), "widths equal or doubled, no group but the depthwise, a chain"),
    Judged("xception", "Xception", (), "separable convolutions of equal width; wide 1x1 convolutions take the time"),
    Judged(
        "densenet121", "DenseNet-121", ("G101",),
        "each layer reads up to 1024 channels to write 128, and 128 to write 32: unequal by design",
    ),
    Judged(
        "igcv3", "IGCV3", ("G202", "G104", "G405"),
        "grouped 1x1 convolutions (G2) in the inverted bottleneck of MobileNet V2 (G1, G4)",
    ),
    Judged(
        "resnext50_32x4d", "ResNeXt-50", ("G201", "G404"),
        "3x3 convolutions in 32 groups (G2); its shortcuts are as thick as those of ResNet-50 (G4)",
        allowed=("G103",),
    ),
    Judged(
        "alexnet_two_groups", "AlexNet, two groups", (),
        "two groups of a convolution whose weights are most of its access cost nothing: a note on one of three (G201)",
    ),
    Judged(
        "googlenet", "GoogLeNet", ("G301",),
        "nine blocks of seven fragments, four side by side (G3); its 5x5 reductions are G1",
        allowed=("G103", "G101"),
    ),
    Judged("inception_v3", "Inception-v3", ("G301",), "blocks of up to eleven fragments", allowed=("G101",)),
    Judged("squeezenet", "SqueezeNet", ("G103",), "squeezes eight times before it expands (G1)", allowed=("G101",)),
    Judged("vgg16", "VGG-16", (), "plain"),
)  # fmt: skip

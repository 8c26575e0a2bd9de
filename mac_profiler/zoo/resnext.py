"""ResNeXt (Xie et al., arXiv 1611.05431), as torchvision has it: 32 groups, 4 channels each."""

FAMILY = "ResNeXt"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "resnext50_32x4d": {"model": "torchvision:resnext50_32x4d"},
}
ALIASES = {"resnext50": "resnext50_32x4d", "resnext": "resnext50_32x4d"}

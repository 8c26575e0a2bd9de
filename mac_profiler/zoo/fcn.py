"""FCN (Long et al., arXiv 1411.4038), as torchvision has it: on a dilated ResNet."""

FAMILY = "FCN"
INPUT = (1, 3, 520, 520)
VARIANTS = {
    "fcn_resnet50": {"model": "torchvision:fcn_resnet50"},
}
ALIASES = {"fcn": "fcn_resnet50"}

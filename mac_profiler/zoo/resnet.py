"""ResNet (He et al., arXiv 1512.03385), as torchvision has it.

The stride of a down-sampling block is at its 3x3 convolution, where the paper has it at the first 1x1: 4.09G
multiply-adds for 50 layers, not 3.86G.
"""

FAMILY = "ResNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "resnet18": {"model": "torchvision:resnet18"},
    "resnet34": {"model": "torchvision:resnet34"},
    "resnet50": {"model": "torchvision:resnet50"},
}
ALIASES = {"resnet": "resnet50"}

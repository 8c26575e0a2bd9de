"""SqueezeNet (Iandola et al., arXiv 1602.07360), as torchvision has it."""

FAMILY = "SqueezeNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "squeezenet1_0": {"model": "torchvision:squeezenet1_0"},
    "squeezenet1_1": {"model": "torchvision:squeezenet1_1"},
}
ALIASES = {"squeezenet": "squeezenet1_0"}

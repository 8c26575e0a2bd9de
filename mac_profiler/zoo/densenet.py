"""DenseNet (Huang et al., arXiv 1608.06993), as torchvision has it."""

FAMILY = "DenseNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "densenet121": {"model": "torchvision:densenet121"},
}
ALIASES = {"densenet": "densenet121"}

"""GoogLeNet (Szegedy et al., arXiv 1409.4842), as torchvision has it: batch-norm, 3x3 for 5x5, no auxiliary heads."""

FAMILY = "GoogLeNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "googlenet": {"model": "torchvision:googlenet"},
}

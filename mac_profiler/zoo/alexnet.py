"""AlexNet (Krizhevsky, arXiv 1404.5997), as torchvision has it: one tower, 64 to 256 channels.

The two towers of 2012 with their grouped convolutions are another network; the tables' 720M is this one's to 1 %.
"""

FAMILY = "AlexNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "alexnet": {"model": "torchvision:alexnet"},
}

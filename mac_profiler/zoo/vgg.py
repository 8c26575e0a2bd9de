"""VGG (Simonyan and Zisserman, arXiv 1409.1556), as torchvision has it."""

FAMILY = "VGG"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "vgg16": {"model": "torchvision:vgg16"},
}

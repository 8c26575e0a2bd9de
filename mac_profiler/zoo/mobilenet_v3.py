"""MobileNet V3 (Howard et al., arXiv 1905.02244), as torchvision and, at 0.75, timm have it."""

FAMILY = "MobileNet V3"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "mobilenet_v3_large": {"model": "torchvision:mobilenet_v3_large"},
    "mobilenet_v3_small": {"model": "torchvision:mobilenet_v3_small"},
    "mobilenet_v3_large_x0_75": {"model": "timm:mobilenetv3_large_075"},
    "mobilenet_v3_small_x0_75": {"model": "timm:mobilenetv3_small_075"},
}
ALIASES = {"mobilenet_v3": "mobilenet_v3_large"}

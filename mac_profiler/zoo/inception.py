"""Inception-v3 (Szegedy et al., arXiv 1512.00567) and v4 (arXiv 1602.07261), as torchvision and timm have them."""

FAMILY = "Inception"
INPUT = (1, 3, 299, 299)
VARIANTS = {
    "inception_v3": {"model": "torchvision:inception_v3"},
    "inception_v4": {"model": "timm:inception_v4"},
}

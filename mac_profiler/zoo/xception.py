"""Xception (Chollet, arXiv 1610.02357), as timm has it."""

FAMILY = "Xception"
INPUT = (1, 3, 299, 299)
VARIANTS = {
    "xception": {"model": "timm:legacy_xception"},
}

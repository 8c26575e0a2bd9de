"""SE-ResNet (Hu et al., arXiv 1709.01507, Table 1), as timm has the authors' own."""

FAMILY = "SE-ResNet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "se_resnet50": {"model": "timm:legacy_seresnet50"},
}
ALIASES = {"se_resnet": "se_resnet50"}

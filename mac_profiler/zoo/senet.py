"""SENet-154 (Hu et al., arXiv 1709.01507), the network of the authors' best entry, as timm has it."""

FAMILY = "SENet"
INPUT = (1, 3, 224, 224)
VARIANTS = {
    "senet154": {"model": "timm:legacy_senet154"},
}
ALIASES = {"senet": "senet154"}

"""Faster R-CNN (Ren et al., arXiv 1506.01497), as torchvision has it: with a feature pyramid."""

FAMILY = "Faster R-CNN"
INPUT = (3, 800, 800)
VARIANTS = {
    "faster_rcnn_resnet50_fpn": {"model": "torchvision:fasterrcnn_resnet50_fpn"},
}
ALIASES = {"faster_rcnn": "faster_rcnn_resnet50_fpn"}

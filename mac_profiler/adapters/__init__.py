"""Adapters: one file a place that models come from; the file's name is the prefix, as in "timm:resnet50".

An adapter has two functions. ``names()`` lists what it has, fast and without torch, for completion and suggestions.
``build(name, arguments, device)`` makes a model and its default inputs, as a `mac_profiler.models.Built`; it raises
`ModelNotFound`, `MissingPackage` or `InvalidInput` in one line. ``code`` takes every name that no prefix claims and
that has a colon, ``zoo`` those that have none.
"""

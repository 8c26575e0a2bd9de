"""The zoo: one file a model family, found by the adapter of that name.

A file's own name begins the name of every model in it. It holds literals, which are read without importing the file (so
that names and published figures need no torch), and the class that builds the model:

- ``FAMILY``: what the family is called in print.
- ``SOURCES``: short key -> where the figures were printed.
- ``INPUT``: shape of the input, for the variants that name no ``input`` of their own.
- ``VARIANTS``: name -> ``arguments`` of the constructor, and where there are any, the ``published`` figures as
  ``(quantity, as printed, source key, reading, note)``; reading and note may be left out, see
  `mac_profiler.models.Published`.
- ``ALIASES``: other name -> name.
- ``build``: the constructor, called with a variant's arguments.
"""

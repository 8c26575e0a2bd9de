"""The zoo: one file a model family, found by the adapter of that name.

A file's own name begins the name of every model in it. It holds literals, which are read without importing the file (so
that names need no torch), and, unless a library has the family, the class that builds the model:

- ``FAMILY``: what the family is called in print.
- ``INPUT``: shape of the input, for the variants that name no ``input`` of their own.
- ``VARIANTS``: name -> ``arguments`` of the constructor; ``model`` where another adapter has it: "torchvision:vgg16".
- ``ALIASES``: other name -> name, where there are any.
- ``build``: the constructor, called with a variant's arguments.
- ``arguments_for``, where a checkpoint can show it: a function from the shapes of a checkpoint's tensors, by name, to
  the arguments of ``build`` that it must have been made with. It names only what the shapes prove, and
  raises for none. They replace a variant's arguments; those that the user gives replace both.

What several families are built of stands below the room, in `mac_profiler.layers` and `mac_profiler.search_space`: the
files of a room do not know each other. What was published of a model stands in a table of `mac_profiler.published`,
under the model's name.
"""

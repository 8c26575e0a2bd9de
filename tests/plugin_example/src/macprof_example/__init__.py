"""An example of what can be added to macprof by entry points, one file a thing."""

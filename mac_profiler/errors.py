"""The errors that macprof raises on purpose; each message says what is wrong, the value, and the remedy."""


class MacprofError(Exception):
    """Something the user can mend; the command line prints it as one line and exits with status 2."""


class UnknownName(MacprofError, LookupError):
    """A name that nothing is registered under."""


class DuplicateName(MacprofError):
    """A name that is registered already."""


class ModelNotFound(MacprofError):
    """A model that cannot be found, imported or built."""


class MissingPackage(ModelNotFound):
    """An optional package that is not installed; the message names the extra that installs it."""


class InvalidInput(MacprofError, ValueError):
    """Inputs that the model cannot take, or an option that cannot be read."""


class WeightsFailed(MacprofError, ValueError):
    """A file of weights that cannot be read, or that does not fit the model."""


class TraceFailed(MacprofError, RuntimeError):
    """The model's own forward raised, or needs data that no trace mode can supply."""


class FormulaFailed(MacprofError):
    """A formula that raised, or returned no cost."""


class OutputFailed(MacprofError, OSError):
    """A result that cannot be written."""


class MeasureFailed(MacprofError, RuntimeError):
    """A case that cannot be built or called on a device, or a process that died while it measured."""


class StoreFailed(MacprofError, OSError):
    """A file of results that cannot be opened, read or written, or a run that cannot be gone on with."""

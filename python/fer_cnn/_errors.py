"""Exceptions. Their messages are those of the command ``fer``."""


class FerError(Exception):
    """What went wrong, where, what was expected, and the way out. ``exit_code`` is that of the command."""

    exit_code = 1


class ShapeError(FerError, ValueError):
    """Arrays whose shapes do not fit an operation."""


class UsageError(FerError, ValueError):
    """An argument that does not exist or does not fit."""

    exit_code = 2


class DataError(FerError, ValueError):
    """A row, picture or folder that cannot be read."""

    exit_code = 3


class ModelError(FerError, ValueError):
    """A network that cannot be used."""

    exit_code = 4


class DivergedError(FerError, ArithmeticError):
    """A training that met numbers that are not finite."""

    exit_code = 5


class NoFaceError(FerError, LookupError):
    """Pictures without a face."""

    exit_code = 6


class FileError(FerError, OSError):
    """A file that the system does not give."""

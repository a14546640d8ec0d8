"""Every error that a caller can act on. No message holds the credentials of a URL.

The command line prints the message of a `ConnectomeError` as one line and ends with its `exit_code`; anything else
is a bug and keeps its traceback. A message says what is wrong and where; the command line adds the options that help.

Exit codes: 1 any other ConnectomeError, 2 wrong flags (typer's own), 3 bad input, 4 database, 5 model or device,
6 storage (disk full, unwritable), 7 a run that is incomplete or in conflict, 8 the cluster, 130 interrupted.
"""

from connectome.credentials import without_credentials


class ConnectomeError(Exception):
    """Base of all errors of this package; the message is one line for a person.

    Attributes:
        about: name of what another choice would help with (a key of `connectome.cli.ways_out`); empty: nothing.
    """

    exit_code = 1

    def __init__(self, message: str = "", *, about: str = "") -> None:
        super().__init__(without_credentials(message))
        self.about = about


class InputError(ConnectomeError):
    """Something the user gave can't be used."""

    exit_code = 3


class VolumeNotFoundError(InputError):
    """No volume lies at a URL, or no file at a path."""


class VolumeFormatError(InputError):
    """A file or volume exists but isn't of a format or kind that can be read here."""


class DtypeError(InputError):
    """A volume has a data type that its role doesn't allow."""


class GreyValueError(InputError):
    """An image has no contrast that could be normalised."""


class ResolutionError(InputError):
    """Resolutions or offsets are missing, or don't fit each other or a model."""


class BoxError(InputError):
    """A box is malformed, empty, or lies outside a volume."""


class ContradictionError(InputError):
    """Inputs that can't belong together, or aren't what they are given as."""


class SegmentIdError(InputError):
    """A segment id doesn't fit a signed 64-bit integer (2^63 or more)."""


class ReferenceDataError(InputError):
    """A reference connectome lacks what an evaluation needs."""


class ConfigError(InputError):
    """A configuration file or a combination of options is wrong."""


class TableError(InputError):
    """A table file can't be read, lacks a column, or holds what its column can't."""


class TrainingDataError(InputError):
    """Training can't start or go on with this data (empty box, no labels, a loss that isn't a number)."""


class DatabaseError(ConnectomeError):
    """PostgreSQL can't be reached or refused a statement."""

    exit_code = 4


class DatabaseUnavailableError(DatabaseError):
    """PostgreSQL doesn't answer now, or took a transaction back for another's sake; trying again later may help."""


class SchemaError(DatabaseError):
    """The database's schema is older or newer than this version of connectome."""


class QueryError(DatabaseError):
    """A user's SQL is wrong, not read-only, or took too long."""


class CheckpointError(ConnectomeError):
    """A file isn't a checkpoint of the kind that was asked for."""

    exit_code = 5


class DeviceError(ConnectomeError):
    """The device asked for isn't there."""

    exit_code = 5


class StorageError(ConnectomeError):
    """Writing failed: disk full, no permission, read-only."""

    exit_code = 6


class RunNotFoundError(InputError):
    """No run has this name."""


class NoSynapsesError(InputError):
    """A question about single synapses of a run that holds edges alone."""


class NeuronNotFoundError(InputError):
    """An id or a name that is no neuron of the run that is asked; the message says where it went."""


class RunConflictError(ConnectomeError):
    """A run of this name exists with other inputs or parameters, or another process is building it."""

    exit_code = 7


class IncompleteRunError(ConnectomeError):
    """A run isn't finished, or some of its blocks failed."""

    exit_code = 7


class RootsError(InputError):
    """A version of roots doesn't exist, or its name is taken."""


class ClusterError(ConnectomeError):
    """The scheduler of a cluster can't be reached or is gone, or what speaks to it isn't installed."""

    exit_code = 8


class MissingLibraryError(ConnectomeError):
    """A library of an extra isn't installed."""

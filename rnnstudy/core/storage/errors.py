"""Errors of records that cannot be read."""


class CorruptRecord(Exception):
    """The files of a folder are not those of a record that this version can rebuild."""


class AbsentRecord(CorruptRecord):
    """There is no record in a folder."""


class DamagedRecord(CorruptRecord):
    """The files of a record are incomplete, were changed, or belong to another address."""


class ForeignRecord(DamagedRecord):
    """The record of an address is whole, and of another class than the result of that address."""


class UnreadableRecord(CorruptRecord, OSError):
    """The system does not let a record be read: permissions, or a disk that fails.

    The record may be whole. It is neither damaged nor absent.
    """


class NewerRecord(CorruptRecord):
    """A record is of a format that this version does not know."""

"""Names of files from names of any length."""

import hashlib

NAME_BYTES = 200
"""Bytes of a name that leave room for endings, where file systems take 255."""


def short_name(name: str, limit: int = NAME_BYTES) -> str:
    """Return a name, or its beginning and a hash of all of it if it is too long for a file.

    Parameters
    ----------
    name
        The name.
    limit
        Largest number of bytes. Default: 200.

    Examples
    --------
    >>> from rnnstudy.core.files import short_name
    >>> short_name("flip_flop-gru"), len(short_name("a" * 300))
    ('flip_flop-gru', 200)
    """
    encoded = name.encode("utf-8", "surrogateescape")
    if len(encoded) <= limit:
        return name
    tail = hashlib.sha256(encoded).hexdigest()[:16]
    return f"{encoded[: limit - len(tail) - 1].decode('utf-8', 'ignore')}-{tail}"

"""Which format a frame has, told by its first bytes alone, and how a file of that format is called and opened.

The words are those of Frame.format, outermost first: "parquet", "zstd+pickle". Nothing is read in full here.
"""

from __future__ import annotations

import zlib
from typing import Final

from toolkit.cache.formats import packed, parquet, pickled_frame
from toolkit.cache.formats.arrow_headers import FILE_MAGIC, STREAM_MAGIC

HEAD: Final = 16  # bytes that tell a format, or what is wrapped around it
WRAPPED: Final = 192 * 1024  # bytes that hold a packed stream's first block, of which the format inside is told

_SUFFIXES: Final = {"parquet": ".parquet", "arrow": ".arrow", "arrow-stream": ".arrows", "pickle": ".pkl"}
_PACKED: Final = {"gzip": ".gz", "zstd": ".zst", "lz4": ".lz4", "zlib": ".zz"}
_UNKNOWN: Final = ".bin"


def kind(head: bytes) -> str:
    """What begins with `head` (HEAD bytes or more): a format, or what is wrapped around one. Empty: none known."""
    if head.startswith(parquet.MAGIC):
        return "parquet"
    if head.startswith(FILE_MAGIC):
        return "arrow"
    if head.startswith(STREAM_MAGIC):
        return "arrow-stream"
    if pickled_frame.is_pickle(head):
        return "pickle"
    return packed.packing(head)


def wraps(kind: str) -> bool:
    """Whether it is wrapped around something else."""
    return kind in _PACKED


def told(head: bytes) -> str:
    """The whole format of what begins with `head`; of a packed one `head` should be WRAPPED bytes, else only the
    wrapper can be told."""
    outer = kind(head)
    if not wraps(outer):
        return outer
    inner = kind(_first_bytes(head, outer))
    return outer if not inner or wraps(inner) else f"{outer}+{inner}"


def suffix(format: str) -> str:  # noqa: A002  as Frame calls it
    """What a file of that format ends in, as pandas expects it: .parquet, .pkl.zst."""
    wrappers = format.split("+")
    inner = "" if wraps(wrappers[-1]) else wrappers.pop()
    return _SUFFIXES.get(inner, _UNKNOWN) + "".join(_PACKED[wrapper] for wrapper in reversed(wrappers))


def _first_bytes(content: bytes, wrapper: str) -> bytes:
    """The first bytes inside, as far as they can be unpacked."""
    if wrapper in ("zlib", "gzip"):
        try:
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, HEAD)
        except zlib.error:
            return b""
    import pyarrow as pa

    try:
        with pa.input_stream(pa.BufferReader(content), compression=wrapper, buffer_size=None) as unpacked:
            return bytes(unpacked.read(HEAD))
    except (OSError, ValueError, pa.ArrowException):
        return b""

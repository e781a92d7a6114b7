"""What reading a file can end in where its bytes are not what they should be."""

import lzma
import struct
import tokenize
import zipfile
import zlib

# zip, gzip, npy, JSON, HDF5 and tables have no class of their own in common. Of zipfile alone come
# most of these, for archives that are damaged, encrypted, or oddly compressed. numpy reads headers
# and the names of types as Python is read.
DAMAGE = (
    ValueError, TypeError, LookupError, AttributeError, OverflowError, SyntaxError, EOFError,
    OSError, RuntimeError, MemoryError, struct.error, tokenize.TokenError, zlib.error,
    lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip

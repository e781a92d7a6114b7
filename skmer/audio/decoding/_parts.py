"""Parts of a file, their bytes as files of their own, and a look at the bytes of a file."""

import io
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

_WINDOW = 1 << 20
# Stated by programs that write to a pipe and do not know the size; all the file is meant.
UNKNOWN_SIZES = (-1, 2**32 - 1, 2**63 - 1, 2**64 - 1)


@dataclass(frozen=True)
class Part:
    """One stream of a file: pieces of it, or bytes in their place; none = all as it is."""

    pieces: tuple[bytes | slice, ...] = ()
    # Whether the end is gone, as far as can be seen without decoding.
    is_cut: bool = False
    # Samples that it should have at least; None = as many as the decoder says.
    n_samples: int | None = None
    # Whether a decoder that goes to a sample comes to that one, and not to another.
    seeks: bool = True


class PartFile(io.RawIOBase):
    """The pieces of a part as one seekable file."""

    def __init__(self, file: BinaryIO, part: Part):
        self.file, self.position = file, 0
        self.pieces = part.pieces or (slice(0, file.seek(0, io.SEEK_END)),)
        lengths = [len(p) if isinstance(p, bytes) else p.stop - p.start for p in self.pieces]
        self.starts = [0]
        for length in lengths:
            self.starts.append(self.starts[-1] + length)

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self.position

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.starts[-1]}[whence]
        self.position = max(base + offset, 0)
        return self.position

    def readinto(self, buffer):
        wanted = memoryview(buffer).cast("B")
        done = 0
        for piece, (start, stop) in zip(self.pieces, pairwise(self.starts)):
            length = min(stop - self.position, len(wanted) - done)
            if length <= 0 or self.position < start:
                continue
            at = self.position - start
            if isinstance(piece, bytes):
                data = piece[at : at + length]
            else:
                self.file.seek(piece.start + at)
                data = self.file.read(length)
            wanted[done : done + len(data)] = data
            done += len(data)
            self.position += len(data)
            if len(data) < length:
                break
        return done


class Window:
    """Bytes of a file by position, a window of them in memory."""

    def __init__(self, file):
        self.file = file
        self.size = file.seek(0, io.SEEK_END)
        self.start, self.data = 0, b""

    def at(self, position, length):
        # A position that a file states may be more than a system takes.
        if position >= self.size:
            return b""
        offset = position - self.start
        if not 0 <= offset <= len(self.data) - length:
            self.file.seek(position)
            self.start, self.data = position, self.file.read(max(_WINDOW, length))
            offset = 0
        return self.data[offset : offset + length]

    def find(self, pattern, position):
        """Return where a compiled pattern of up to 8 bytes comes next, or the end of the file."""
        while position < self.size:
            self.at(position, 8)
            found = pattern.search(self.data, position - self.start)
            if found:
                return self.start + found.start()
            if self.start + len(self.data) >= self.size:
                break
            position = max(self.start + len(self.data) - 8, position) + 1
        return self.size

    def after_id3(self, position):
        """Return the end of the ID3v2 tags that begin at `position`."""
        while (head := self.at(position, 10))[:3] == b"ID3" and len(head) == 10:
            a, b, c, d = head[6:]
            footer = 10 if head[5] & 0x10 else 0
            position += 10 + (a << 21 | b << 14 | c << 7 | d) + footer
        return position

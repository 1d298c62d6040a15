"""Standard output and error of a command, also where nobody takes what they are given.

A pipe whose reader has gone (`| head -1`), a full disk or a terminal that was closed
must not stop the work: it goes on, its files are written, and the exit code says that
the answer did not arrive.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class Guarded:
    """A stream that goes on when its end cannot be written to.

    Attributes
    ----------
    error
        What went wrong first, None while all is well.
    written
        Whether anything was.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.error: OSError | None = None
        self.written = False
        if stream is None:
            self.error = OSError(errno.EBADF, os.strerror(errno.EBADF))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, or drop it where a former one could not be written."""
        self.written = True
        if self._stream is not None and self.error is None:
            try:
                self._stream.write(text)
            except OSError as error:
                self._fail(error)
            except UnicodeEncodeError:
                known = self._stream.encoding
                plain = text.encode(known, "backslashreplace").decode(known)
                self._stream.write(plain)
        return len(text)

    def flush(self) -> None:
        """Let everything go where it can."""
        if self._stream is not None and self.error is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._fail(error)

    def isatty(self) -> bool:
        """Return whether a person reads it."""
        return self._stream is not None and self.error is None and self._stream.isatty()

    def _fail(self, error: OSError) -> None:
        """Take note, and let what still waits in the buffer go nowhere."""
        self.error = error
        assert self._stream is not None
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            self._stream.flush()


@contextlib.contextmanager
def guarded_streams() -> Iterator[Guarded]:
    """Guard both streams while the block runs; give the one of results."""
    former = sys.stdout, sys.stderr
    out, err = Guarded(sys.stdout), Guarded(sys.stderr)
    sys.stdout, sys.stderr = out, err
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = former


def fill_handles() -> None:
    """Open what the caller has closed of the three standard handles.

    Otherwise the next file that is opened would be standard output.
    """
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)

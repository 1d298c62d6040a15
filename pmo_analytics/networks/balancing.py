"""The balance of a reader: what was read is used, or listed with file, line, reason."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd

from pmo_analytics.networks.frames import frame_of


class Balance:
    """Counts what a reader read and used, and lists the rest.

    Amounts add up as fractions (a float is the decimal that it is written as), so that
    the balance is exact. Count `read` where the file is read and `used` from the frames
    that were made of it, never one from the other: the balance is there to find what
    got lost between.

    Parameters
    ----------
    file
        Name of the file, for what is listed.

    Examples
    --------
    >>> balance = Balance("plan.xml")
    >>> balance.read("tasks", 3)
    >>> balance.use("tasks", 2)
    >>> balance.leave("tasks", "no id", line=14)
    >>> balance.frame().iloc[0].tolist()
    ['tasks', 3.0, 2.0, 1.0]
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._read: dict[str, Fraction] = {}
        self._used: dict[str, Fraction] = {}
        self._left: dict[str, Fraction] = {}
        self._listed: list[dict[str, Any]] = []

    def read(self, what: str, amount: Any = 1) -> None:
        """Count what stands in the file: `tasks`, `links`, `hours`, `money`, ..."""
        self._read[what] = self._read.get(what, Fraction(0)) + _exact(amount)

    def use(self, what: str, amount: Any = 1) -> None:
        """Count what went into the frames."""
        self._used[what] = self._used.get(what, Fraction(0)) + _exact(amount)

    def leave(
        self,
        what: str,
        reason: str,
        *,
        amount: Any = 1,
        line: int | str | None = None,
        name: str = "",
    ) -> None:
        """List what was read and not used.

        Parameters
        ----------
        reason
            Why, for the analyst, one sentence.
        line
            Of the file.
        name
            Id of the task, link, ... as the file has it.
        """
        self._left[what] = self._left.get(what, Fraction(0)) + _exact(amount)
        self._listed.append(
            {
                "what": what,
                "amount": float(amount),
                "file": self.file,
                "line": "" if line is None else str(line),
                "id": name,
                "reason": reason,
            }
        )

    def frame(self) -> pd.DataFrame:
        """Return `what, read, used, listed`.

        Floats add up too: `read` is the float sum of the other two where the fractions
        balance, and what was read where they do not.
        """
        rows = []
        for what in dict.fromkeys([*self._read, *self._used, *self._left]):
            read = self._read.get(what, Fraction(0))
            used = self._used.get(what, Fraction(0))
            left = self._left.get(what, Fraction(0))
            parts = float(used), float(left)
            whole = sum(parts) if read == used + left else float(read)
            rows.append((what, whole, *parts))
        columns = ["what", "read", "used", "listed"]
        return frame_of("balance", pd.DataFrame(rows, columns=columns))

    def listed(self) -> pd.DataFrame:
        """Return `what, amount, file, line, id, reason` of what was not used."""
        return frame_of("listed", pd.DataFrame(self._listed))


def _exact(amount: Any) -> Fraction:
    if isinstance(amount, float):
        return Fraction(repr(amount))
    return Fraction(amount)

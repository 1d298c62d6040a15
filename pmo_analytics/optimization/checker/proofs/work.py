"""How much work a certificate may cause: whoever wrote it, checking it has an end."""

from __future__ import annotations

from dataclasses import dataclass

# Steps of a fifth of a microsecond or so, for all of a certificate: a minute or two.
MOST_STEPS = 400_000_000


@dataclass
class Work:
    """The steps that are left; what comes after the last of them proves nothing.

    Attributes
    ----------
    left
        Steps.
    short
        Whether something was left out for want of steps.
    """

    left: int = MOST_STEPS
    short: bool = False

    def take(self, steps: int) -> bool:
        """Take steps; return whether there were as many."""
        if steps > self.left:
            self.short = True
            return False
        self.left -= steps
        return True

"""Example portfolios: an invented company, and portfolios of any size from a seed."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.examples.company import example_portfolio
    from pmo_analytics.examples.generated import generate_portfolio

__getattr__, __dir__, __all__ = face(__name__)

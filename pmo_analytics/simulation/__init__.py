"""Monte Carlo of a plan: dates, load and value with their chances."""

from typing import TYPE_CHECKING

from pmo_analytics.faces import face

if TYPE_CHECKING:
    from pmo_analytics.simulation.result import OUTCOMES, Simulation
    from pmo_analytics.simulation.simulating import simulate

__getattr__, __dir__, __all__ = face(__name__)

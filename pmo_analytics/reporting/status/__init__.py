"""The report of a status: of the portfolio, and of each program and project."""

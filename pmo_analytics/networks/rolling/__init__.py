"""From networks to a portfolio: projects, hours by period, people, money, links."""

"""The tables of a portfolio: contract, schemas, checks, and what is read off them."""

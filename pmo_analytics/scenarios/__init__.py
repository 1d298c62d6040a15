"""What if: named edits of a portfolio, solved and compared."""

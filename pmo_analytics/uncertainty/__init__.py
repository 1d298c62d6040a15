"""What is uncertain, and what is drawn of it."""

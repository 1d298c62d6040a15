"""What takes turns in a search, and what it shares."""

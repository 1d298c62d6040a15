"""What was promised, done and spent, in money, hours and time."""

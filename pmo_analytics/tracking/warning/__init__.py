"""What running projects will cost, when they end, and which are at risk."""

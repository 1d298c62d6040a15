"""What people type into cells, read in one way only or not at all."""

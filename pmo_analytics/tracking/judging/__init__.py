"""What is said of it: milestones, colours with reasons, what has changed."""

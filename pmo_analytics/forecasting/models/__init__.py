"""Models of one history: smoothing, theta, intermittent, and their combination."""

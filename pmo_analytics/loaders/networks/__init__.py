"""Planning files become networks, one module a format; `reading` tells them apart."""

"""Charts of how the projects are doing."""

"""Commands on how the projects are doing."""

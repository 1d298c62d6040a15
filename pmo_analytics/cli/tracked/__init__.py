"""Commands on how the projects are doing, and how their plans moved."""

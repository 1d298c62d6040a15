"""The independent, exact check of plans and bounds; shares no code with the model."""

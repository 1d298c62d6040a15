"""Why a plan is as it is, what stands in the way, and what would change it."""

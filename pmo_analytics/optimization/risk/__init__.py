"""Plans that keep overload unlikely."""

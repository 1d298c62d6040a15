"""Periods, calendars, workweeks and working time."""

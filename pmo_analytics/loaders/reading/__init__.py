"""Folders and workbooks become raw tables and settings."""

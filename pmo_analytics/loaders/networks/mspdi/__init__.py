"""Microsoft Project XML (MSPDI): read and written."""

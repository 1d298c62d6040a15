"""Networks from Primavera P6: XER and PMXML hold the same tables."""

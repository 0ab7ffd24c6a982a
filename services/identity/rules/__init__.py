"""What identity decides without a database: ID cards, phones, names, ages, families, sign-in."""

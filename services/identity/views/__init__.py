"""Identity over HTTP: everybody signs in, citizens manage themselves and families, staff look."""

"""Everything that can be called over HTTP, grouped by audience; it leans on `payments`."""

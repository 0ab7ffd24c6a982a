"""Everything outside our walls, played faithfully; it imports neither `services` nor `payments`."""

"""Transit over HTTP, one module for each audience: everybody, citizens, devices."""

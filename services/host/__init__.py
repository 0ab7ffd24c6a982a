"""The host: app factory, settings, plug-ins, the auth question, errors to HTTP, OpenAPI, health.

It leans on `payments` and knows no plug-in by name.
"""

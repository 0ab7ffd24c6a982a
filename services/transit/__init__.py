"""Public transport: stations and fares now, tickets bought on the phone and collected at a kiosk.

A plug-in like any other: it leans on `services.host` and on `payments`, owns the PostgreSQL schema
`transit`, and keeps what is policy rather than law of nature in `data/`.
"""

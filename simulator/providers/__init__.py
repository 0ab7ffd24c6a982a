"""The providers' side of the wire: strict verification, faithful signing, notices on schedule.

It shares no code with the platform's own adapters, so the two cannot be wrong in the same way.
"""

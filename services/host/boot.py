"""Why the platform did not start, in one sentence that says what to do."""


class BootError(Exception):
    """Something set, installed or shipped is wrong; nothing was started."""

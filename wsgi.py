"""The WSGI application: `gunicorn -c services/host/gunicorn.py wsgi:app`, `flask …`."""

import sys

from services.host.application import create_app
from services.host.boot import BootError

BOOT_FAILED = 3  # gunicorn gives up on this code instead of trying for ever.

try:
    app = create_app()
except BootError as error:
    sys.stderr.write(f"Qiantang cannot start. {error}\n")
    sys.exit(BOOT_FAILED)

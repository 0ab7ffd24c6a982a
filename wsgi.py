"""The WSGI application: `gunicorn -c services/host/gunicorn.py wsgi:app`, `flask …`."""

from services.host.application import create_app
from services.host.boot import explained

with explained():
    app = create_app()

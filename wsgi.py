"""The WSGI application for any server: ``granian --interface wsgi wsgi:app`` or ``gunicorn wsgi:app``."""

from scim_server.factory import create_app

app = create_app()

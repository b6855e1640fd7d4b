"""The WSGI application for any server: ``granian --interface wsgi wsgi:app`` or ``gunicorn wsgi:app``."""

from scim_server import logs
from scim_server.factory import create_app
from scim_server.settings import Settings

settings = Settings.from_environment()
logs.set_up(settings.log_level, settings.log_format)
app = create_app(settings)

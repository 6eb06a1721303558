"""A SensorThings service of another maker (django-ogc-sensorthings), in a file of SQLite.

    python sensor_things.py PORT FOLDER

It prints `ready` when it listens.
"""

import sys
from pathlib import Path
from uuid import UUID
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

PORT, FOLDER = sys.argv[1:]
settings.configure(
    DEBUG=False,
    SECRET_KEY="made up",  # noqa: S106  (a server that lives for one test)
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["sensorthings.versions.v1_1", "sensorthings.versions.v1_1.backends.django"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(FOLDER, "db")}},
    SENSORTHINGS_V1_1_SERVICE_URL=f"http://127.0.0.1:{PORT}/sta",
    SENSORTHINGS_V1_1_BACKEND_ADAPTER=(
        "sensorthings.versions.v1_1.backends.django.adapter.DjangoBackendAdapter"
    ),
    SENSORTHINGS_V1_1_ID_TYPE=UUID,
    SENSORTHINGS_V1_1_ID_DELIMITER="'",
)
django.setup()
urlpatterns = [path("sta/", include("sensorthings.versions.v1_1.urls"))]


class Quiet(WSGIRequestHandler):
    def log_message(self, *told):
        pass


call_command("migrate", verbosity=0)
with make_server("127.0.0.1", int(PORT), get_wsgi_application(), handler_class=Quiet) as server:
    print("ready", flush=True)
    server.serve_forever()

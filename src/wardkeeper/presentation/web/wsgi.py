"""What granian serves: `granian --interface wsgi wardkeeper.presentation.web.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wardkeeper.settings.django")
application = get_wsgi_application()

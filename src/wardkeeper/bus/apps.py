from django.apps import AppConfig


class BusConfig(AppConfig):
    name = "wardkeeper.bus"
    label = "bus"
    default_auto_field = "django.db.models.BigAutoField"

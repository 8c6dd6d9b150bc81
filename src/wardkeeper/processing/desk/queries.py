"""Questions about contacts. Nothing here writes."""

from wardkeeper.processing.desk.models import Contact


def contacts_of(record_id: int) -> list[Contact]:
    return list(Contact.objects.filter(record=record_id).select_related("person", "logged_by").order_by("at"))

"""The portal's addresses."""

from django.urls import path

from wardkeeper.presentation.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("report/", views.report, name="report"),
    path("places/", views.places, name="places"),
    path("<int:record_id>/", views.record, name="record"),
    path("<int:record_id>/life/", views.life, name="life"),
    path("<int:record_id>/answer/", views.answer, name="answer"),
    path("<int:record_id>/comment/", views.comment, name="comment"),
    path("files/<int:attachment_id>/", views.file, name="file"),
]

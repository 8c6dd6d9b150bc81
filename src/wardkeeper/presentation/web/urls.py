"""The pages of the information centre."""

from django.urls import path, register_converter

from wardkeeper.presentation.web.views import (
    alarms,
    cis,
    demo,
    design,
    devices,
    profile,
    record_changes,
    records,
    sign_in,
    workbench,
)


class PageSlug:
    """The first part of the address of a practice that has pages."""

    regex = "|".join(records.PAGES)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PageSlug, "page")

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("login/", sign_in.sign_in, name="login"),
    path("logout/", sign_in.sign_out, name="logout"),
    path("language/", sign_in.choose_language, name="language"),
    path("me/", profile.profile, name="profile"),
    path("me/password/", profile.change_password, name="password"),
    path("me/sessions/<int:sign_in_id>/end/", profile.end_session, name="session-end"),
    path("workbench/", workbench.workbench, name="workbench"),
    path("workbench/rows/", workbench.rows, name="workbench-rows"),
    path("workbench/figures/", workbench.figures, name="workbench-figures"),
    path("search/", records.search, name="search"),
    path("records/<int:record_id>/body/", records.body, name="record-body"),
    path("records/<int:record_id>/preview/", records.preview, name="record-preview"),
    path("records/<int:record_id>/moves/<slug:name>/", record_changes.move, name="record-move"),
    path("records/<int:record_id>/assign/", record_changes.assign, name="record-assign"),
    path("records/<int:record_id>/assign/me/", record_changes.assign_to_me, name="record-assign-me"),
    path("records/<int:record_id>/comment/", record_changes.comment, name="record-comment"),
    path("records/<int:record_id>/attach/", record_changes.attach, name="record-attach"),
    path("records/<int:record_id>/link/", record_changes.link, name="record-link"),
    path("records/<int:record_id>/watch/", record_changes.watch, name="record-watch"),
    path("records/<int:record_id>/priority/", record_changes.set_priority, name="record-priority"),
    path("files/<int:attachment_id>/", records.file, name="record-file"),
    path("incidents/", records.listing, {"slug": "incidents"}, name="incidents"),
    path("alarms/", alarms.console, name="alarms"),
    path("alarms/rows/", alarms.rows, name="alarm-rows"),
    path("alarms/acknowledge/", alarms.acknowledge, name="alarm-acknowledge"),
    path("alarms/<int:alarm_id>/", alarms.alarm, name="alarm"),
    path("cis/", cis.listing, name="cis"),
    path("cis/add/", devices.add, name="device-add"),
    path("cis/<int:ci_id>/", cis.ci, name="ci"),
    path("cis/<int:ci_id>/series/", cis.series, name="ci-series"),
    path("demo/", demo.demo, name="demo"),
    path("about/design/", design.design, name="design"),
    path("about/design/rows/", design.rows, name="design-rows"),
    path("<page:slug>/", records.listing, name="records"),
    path("<page:slug>/rows/", records.rows, name="record-rows"),
    path("<page:slug>/assign/", record_changes.bulk_assign, name="record-bulk-assign"),
    path("<page:slug>/<int:record_id>/", records.record, name="record"),
]

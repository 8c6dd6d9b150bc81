"""The pages of the information centre."""

from django.urls import path

from wardkeeper.presentation.web.views import design, profile, sign_in

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("login/", sign_in.sign_in, name="login"),
    path("logout/", sign_in.sign_out, name="logout"),
    path("language/", sign_in.choose_language, name="language"),
    path("me/", profile.profile, name="profile"),
    path("me/password/", profile.change_password, name="password"),
    path("me/sessions/<int:sign_in_id>/end/", profile.end_session, name="session-end"),
    path("about/design/", design.design, name="design"),
    path("about/design/rows/", design.rows, name="design-rows"),
]

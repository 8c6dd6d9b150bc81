"""Where style sheets, scripts and icons are served from."""

from whitenoise.storage import (  # type: ignore[import-untyped]  # whitenoise.storage has no types
    CompressedManifestStaticFilesStorage,
)


class Assets(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the same
    """Names with a fingerprint once `collectstatic` has run; plain names straight from the package before.

    The second way serves tests and a checkout that was never started; it is only slower.
    """

    support_js_module_import_aggregation = True

    def url(self, name: str | None, force: bool = False) -> str:  # noqa: FBT001, FBT002 - Django's signature
        if not self.hashed_files:
            return f"{self.base_url}{name}"
        return str(super().url(name, force))

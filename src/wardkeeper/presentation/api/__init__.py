"""The API: what the pages can do, for programs. Described at /api/v1/openapi.json."""

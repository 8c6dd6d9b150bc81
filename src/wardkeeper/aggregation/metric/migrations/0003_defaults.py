"""The shipped thresholds and the default retention, so that a new installation watches at once."""

from django.db import migrations


def load(apps, schema_editor):
    # Later versions add their new rules by `setup.ensure()`; this lets a database that was only
    # migrated watch at once. Historical models lack the compile step, so the rows are written as data.
    import time
    import tomllib
    from pathlib import Path

    rule_model, retention = apps.get_model("metric", "ThresholdRule"), apps.get_model("metric", "RetentionRule")
    retention.objects.get_or_create(
        pattern="*", defaults={"position": 1000, "raw_days": 30, "five_minute_days": 396, "hour_days": 2192}
    )
    with (Path(__file__).parents[1] / "thresholds.toml").open("rb") as file:
        shipped = tomllib.load(file)["rule"]
    fields = {field.name for field in rule_model._meta.get_fields()}
    revision = time.time_ns() // 1_000_000
    for rule in shipped:
        known = {key: value for key, value in rule.items() if key in fields}
        rule_model.objects.get_or_create(name=rule["name"], defaults={**known, "is_shipped": True, "revision": revision})


class Migration(migrations.Migration):
    dependencies = [("metric", "0002_storage")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]

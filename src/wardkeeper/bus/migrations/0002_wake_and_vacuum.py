"""Wakes the relay at commit, and keeps two tables of quick turnover small."""

from django.db import migrations

# One notification a statement; PostgreSQL itself folds equal ones of a transaction into one.
WAKE = """
CREATE FUNCTION bus_outbox_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('bus_outbox', '');
    RETURN NULL;
END $$;
CREATE TRIGGER bus_outbox_wake AFTER INSERT ON bus_outboxmessage
    FOR EACH STATEMENT EXECUTE FUNCTION bus_outbox_wake();
"""

# Rows of the outbox live for milliseconds. With the default (vacuum after a fifth of the table)
# the relay's `ORDER BY id` would walk over more and more dead index entries.
VACUUM = """
ALTER TABLE bus_outboxmessage SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
"""


class Migration(migrations.Migration):
    dependencies = [("bus", "0001_initial")]

    operations = [
        migrations.RunSQL(
            WAKE,
            "DROP TRIGGER bus_outbox_wake ON bus_outboxmessage; DROP FUNCTION bus_outbox_wake();",
        ),
        migrations.RunSQL(
            VACUUM,
            "ALTER TABLE bus_outboxmessage RESET (autovacuum_vacuum_scale_factor,"
            " autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);",
        ),
    ]

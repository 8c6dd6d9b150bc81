"""How PostgreSQL keeps the bytes: not compressed again, and tidied early where rows come and go."""

from django.db import migrations

FORWARD = """
-- Already compressed: a second try by PostgreSQL would only cost time, and a slice of an
-- EXTERNAL value can be read without the rest.
ALTER TABLE metric_poll ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE metric_block ALTER COLUMN data SET STORAGE EXTERNAL;
-- Polls are deleted as they are packed; the default waits for a fifth of the table.
ALTER TABLE metric_poll SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.5);
-- A feed changes at every poll: room on its page keeps the new version off the indexes.
ALTER TABLE metric_feed SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE metric_thresholdstate SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
"""

BACKWARD = """
ALTER TABLE metric_poll ALTER COLUMN data SET STORAGE EXTENDED;
ALTER TABLE metric_block ALTER COLUMN data SET STORAGE EXTENDED;
ALTER TABLE metric_poll RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
ALTER TABLE metric_feed RESET (fillfactor, autovacuum_vacuum_scale_factor);
ALTER TABLE metric_thresholdstate RESET (fillfactor, autovacuum_vacuum_scale_factor);
"""


class Migration(migrations.Migration):
    dependencies = [("metric", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

"""What happened to a clock is proof: it can be added to, not changed or deleted."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER sla_clockevent_append_only BEFORE UPDATE OR DELETE ON sla_clockevent
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER sla_clockevent_no_truncate BEFORE TRUNCATE ON sla_clockevent
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""

BACKWARD = """
DROP TRIGGER sla_clockevent_append_only ON sla_clockevent;
DROP TRIGGER sla_clockevent_no_truncate ON sla_clockevent;
"""


class Migration(migrations.Migration):
    dependencies = [("sla", "0001_initial"), ("ledger", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

import django.db.models.deletion
from django.db import migrations, models

FILL = """
UPDATE queues_accesscodeuse SET queue_id = code.queue_id
FROM queues_accesscode code WHERE code.id = queues_accesscodeuse.code_id
"""


def use_queue(*, null: bool) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False, null=null, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="queues.queue"
    )


class Migration(migrations.Migration):
    dependencies = [("queues", "0004_card_programmes")]

    operations = [
        migrations.AddField("accesscodeuse", "queue", use_queue(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("accesscodeuse", "queue", use_queue(null=False)),
        migrations.RemoveConstraint("accesscodeuse", "fan_uses_a_code_once"),
        migrations.AddConstraint(
            "accesscodeuse",
            models.UniqueConstraint(name="fan_uses_one_code_of_a_queue", fields=("user", "queue")),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="cancellation_told_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="told that the event is cancelled"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(status="paid", cancellation_told_at__isnull=True),
                fields=["event"],
                name="buyers_to_tell",
            ),
        ),
    ]

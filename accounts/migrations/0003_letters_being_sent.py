from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_identity_checks")]

    operations = [
        migrations.AddIndex(
            "letter",
            models.Index(
                condition=models.Q(("leased_until__isnull", False)), fields=["leased_until"], name="letter_being_sent"
            ),
        ),
    ]

"""One factory a model, no surprises: what a test does not name is valid and plain."""

import factory
from factory.django import DjangoModelFactory, Password

from accounts.models import Letter, Membership, Organizer, User


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"fan{n}@example.org")
    name = factory.Sequence(lambda n: f"Fan {n}")
    password = Password("correct horse battery")


class OrganizerFactory(DjangoModelFactory):
    class Meta:
        model = Organizer

    name = factory.Sequence(lambda n: f"Organizer {n}")
    slug = factory.Sequence(lambda n: f"organizer-{n}")


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory, is_staff=True)
    organizer = factory.SubFactory(OrganizerFactory)
    role = Membership.Role.OWNER


class LetterFactory(DjangoModelFactory):
    class Meta:
        model = Letter

    to = factory.Sequence(lambda n: f"fan{n}@example.org")
    subject = "Your tickets"
    text = "Here they are."
    kind = Letter.Kind.NOTICE
    message_id = factory.Sequence(lambda n: f"<letter-{n}@fairline.example>")

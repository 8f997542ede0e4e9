"""The admittance token: what an admitted fan's page or program shows to take tickets.

It is signed and names one admission and one account. It says who; whether the turn still lasts, the database says.
"""

from __future__ import annotations

import uuid

from django.core import signing

from accounts.models import User
from queues.models import Admission
from queues.refusals import AdmittanceInvalid

SALT = "queues.admittance"


def token_for(admission: Admission) -> str:
    return signing.dumps([str(admission.public_id), admission.user_id], salt=SALT)


def read_token(token: str, *, user: User) -> uuid.UUID:
    """Return the public id of the admission that `token` opens for `user`.

    Raises:
        AdmittanceInvalid: the token is forged or broken, or another fan's.
    """
    try:
        public_id, user_id = signing.loads(token, salt=SALT)
        if user_id == user.pk:
            return uuid.UUID(public_id)
    except (signing.BadSignature, ValueError, TypeError):
        pass
    raise AdmittanceInvalid

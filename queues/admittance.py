"""The admittance token: what an admitted fan's page or program shows to take tickets.

It is signed and names one admission, and one account or visitor. It says who; whether
the turn still lasts, the database says.
"""

from __future__ import annotations

import uuid

from django.core import signing

from accounts.models import User
from queues.models import Admission
from queues.refusals import AdmittanceInvalid
from queues.visitors import Visitor

SALT = "queues.admittance"


def token_for(admission: Admission) -> str:
    return _sign(admission.public_id, admission.bearer)


def read_token(token: str, *, user: User) -> uuid.UUID:
    """Return the public id of the admission that `token` opens for `user`.

    Raises:
        AdmittanceInvalid: the token is forged or broken, or another fan's.
    """
    return _read(token, user.pk)


def taken_along(token: str, *, visitor: Visitor, user: User) -> str:
    """Return a visitor's token as that of the account which has taken the place along; any other as it is.

    Whether the account has done so, the database says.
    """
    try:
        return _sign(_read(token, str(visitor.pk)), user.pk)
    except AdmittanceInvalid:
        return token


def _sign(public_id: uuid.UUID, bearer: int | str) -> str:
    # Without the time of its making: the same turn has the same token, so that an answer with it can stay the same.
    return signing.Signer(salt=SALT).sign_object([str(public_id), bearer])


def _read(token: str, bearer: int | str) -> uuid.UUID:
    try:
        public_id, named = signing.Signer(salt=SALT).unsign_object(token)
        if named == bearer:
            return uuid.UUID(public_id)
    except (signing.BadSignature, ValueError, TypeError):
        pass
    raise AdmittanceInvalid

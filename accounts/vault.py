"""Secrets that we must be able to read again: in the database they are encrypted, with a key made from SECRET_KEY."""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.refusals import Refusal


class SecretLost(Refusal):
    message = _("We can no longer read what your account is protected with. Please write to us.")


def seal(text: str) -> str:
    """Return `text` encrypted: whoever reads the database alone learns nothing from it."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Return what was sealed under SECRET_KEY, or under one of SECRET_KEY_FALLBACKS; raise SecretLost otherwise."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretLost from error


def _keys() -> MultiFernet:
    return MultiFernet([_key_from(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@lru_cache
def _key_from(secret: str) -> Fernet:
    # A key of its own: one that leaked elsewhere must not open these, nor the other way round.
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"fairline.accounts.vault").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))

"""A passkey of the tests' own: what a telephone keeps, and how it signs."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

ORIGIN = "https://testserver"
SEEN_AND_RECOGNISED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Passkey:
    """A key pair that knows its owner by a finger, and what the site called the owner."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(16)
        self.owner = ""

    def register(self, options: dict[str, Any], *, flags: AuthenticatorData.FLAG = SEEN_AND_RECOGNISED) -> Any:
        """Return what a browser sends for `navigator.credentials.create(options)`."""
        asked = options["publicKey"]
        self.owner = asked["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())
        about = AuthenticatorData.create(
            sha256(asked["rp"]["id"].encode()).digest(),
            flags | AuthenticatorData.FLAG.AT,
            0,
            AttestedCredentialData.create(Aaguid.NONE, self.id, public),
        )
        attestation = AttestationObject.create("none", about, {})
        return self._sent("create", asked, attestationObject=websafe_encode(attestation))

    def sign(self, options: dict[str, Any]) -> Any:
        """Return what a browser sends for `navigator.credentials.get(options)`."""
        asked = options["publicKey"]
        about = AuthenticatorData.create(sha256(asked["rpId"].encode()).digest(), SEEN_AND_RECOGNISED, 1)
        sent = self._sent("get", asked, authenticatorData=websafe_encode(about), userHandle=self.owner)
        client_data = self._client_data("get", asked)
        sent["response"]["signature"] = websafe_encode(self.key.sign(about + client_data.hash, ec.ECDSA(SHA256())))
        return sent

    def _client_data(self, act: str, asked: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(f"webauthn.{act}", asked["challenge"], ORIGIN)

    def _sent(self, act: str, asked: dict[str, Any], **response: str) -> Any:
        named = websafe_encode(self.id)
        client_data = websafe_encode(self._client_data(act, asked))
        return {
            "id": named,
            "rawId": named,
            "type": "public-key",
            "clientExtensionResults": {"credProps": {"rk": True}},
            "response": {"clientDataJSON": client_data, **response},
        }

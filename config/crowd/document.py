"""The document that a fan of the crowd, who is nobody, takes a photo of."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw


@cache
def photo_of_document() -> bytes:
    """Return a JPEG of a card with a face and two lines on it."""
    card = Image.new("RGB", (480, 300), "#efe6d4")
    pen = ImageDraw.Draw(card)
    pen.ellipse((40, 70, 180, 230), fill="#8a6d5a")
    for top in (90, 150):
        pen.rectangle((220, top, 440, top + 24), fill="#2c2520")
    out = BytesIO()
    card.save(out, "JPEG")
    return out.getvalue()

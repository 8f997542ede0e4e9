"""Photos of documents: what arrives is drawn anew, kept in a private folder, and removed for good."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from accounts.refusals import Refusal

FORMATS = ("JPEG", "PNG", "WEBP")
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp")
MAX_BYTES = 8 * 1024 * 1024
# What the largest cameras of phones make. A small file can claim any number of them.
MAX_PIXELS = 50_000_000
# Enough to read a document by.
LONGEST_SIDE = 2400
# A photo is written before the row that names it. After so long that row is there, or never will be.
SETTLED_AFTER = timedelta(hours=1)
# Pixels take memory: one picture at a time is unpacked in a process, however many arrive.
_drawing = threading.Lock()


class PhotoTooLarge(Refusal):
    message = _("This photo is too large. Please send one of at most 8 MB and 50 megapixels.")


class PhotoNotReadable(Refusal):
    message = _("This file cannot be read as a photo. Please send a JPEG, PNG or WebP picture.")


def redraw(photo: File) -> bytes:
    """Return the picture as a new JPEG: its pixels, upright, and nothing else that was in the file.

    Raises:
        PhotoTooLarge: in bytes, or in the pixels that it claims to have.
        PhotoNotReadable: it is none of `FORMATS`, or broken.
    """
    if photo.size > MAX_BYTES:
        raise PhotoTooLarge
    photo.seek(0)
    try:
        with _drawing, Image.open(photo, formats=FORMATS) as picture:
            return _draw(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoTooLarge from None
    except Refusal:
        raise
    except Exception as error:
        raise PhotoNotReadable from error


def _draw(picture: Image.Image) -> bytes:
    if picture.width * picture.height > MAX_PIXELS:
        raise PhotoTooLarge
    # A JPEG can be unpacked at a smaller size to begin with.
    picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    ImageOps.exif_transpose(picture, in_place=True)
    drawn = picture if picture.mode == "RGB" else picture.convert("RGB")
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # Comments would be written again.
    drawn.info.clear()
    out = BytesIO()
    drawn.save(out, "JPEG", quality=85)
    return out.getvalue()


def keep(picture: bytes) -> str:
    """Write a picture where only we can read it; return its name."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{secrets.token_hex(16)}.jpg"
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(picture)
    return path.name


def read(name: str) -> bytes:
    """Return a picture that is kept; raises FileNotFoundError when it is gone."""
    return (_folder() / name).read_bytes()


def remove(name: str) -> None:
    """Remove a picture for good; one that is gone already, or never was, is no trouble."""
    if name:
        (_folder() / name).unlink(missing_ok=True)


def settled() -> Iterator[str]:
    """Give the names of the pictures that are older than any submission takes."""
    latest = time.time() - SETTLED_AFTER.total_seconds()
    for path in _folder().glob("*.jpg"):
        try:
            if path.stat().st_mtime < latest:
                yield path.name
        except FileNotFoundError:
            # The other sweep was faster.
            continue


def _folder() -> Path:
    return Path(settings.IDENTITY_ROOT)

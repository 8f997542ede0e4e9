"""Files as people send them: photos, and what only says that it is one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

SECRET = b"<script>alert('from beside the pixels')</script>"


def photo(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """Return a picture with its left half red and its right half blue."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, *size))
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def photo_with_secrets() -> bytes:
    """Return a JPEG that says more than its pixels, in each place where one can: it is a web page, too."""
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    return photo(exif=exif, comment=SECRET, icc_profile=SECRET, xmp=SECRET) + SECRET


def photo_on_its_side() -> bytes:
    """Return a JPEG as a phone that was held upright writes it: to be turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return photo(exif=exif)


def png_bomb(width: int, height: int) -> bytes:
    """Return a few bytes that claim to be a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def upload(data: bytes, name: str = "passport.jpg", content_type: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type)


# What is no photo, or none that we take, though it is called one; with the refusal's code.
BAD_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"this is me", "photo_not_readable"),
    "page": (lambda: SECRET, "photo_not_readable"),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "photo_not_readable"),
    "pdf": (lambda: b"%PDF-1.7\n1 0 obj\n", "photo_not_readable"),
    "gif": (lambda: photo("GIF"), "photo_not_readable"),
    "tiff": (lambda: photo("TIFF"), "photo_not_readable"),
    "cut short": (lambda: photo()[:-200], "photo_not_readable"),
    "broken png": (lambda: png_bomb(100, 100), "photo_not_readable"),
    "too many bytes": (lambda: photo() + b"\0" * (8 * 1024 * 1024), "photo_too_large"),
    "just too many pixels": (lambda: png_bomb(50_000, 1_001), "photo_too_large"),
    "pixels to warn of": (lambda: png_bomb(10_000, 10_000), "photo_too_large"),
    "a bomb": (lambda: png_bomb(65_000, 65_000), "photo_too_large"),
}

"""What is kept of a photo, and where."""

import os
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from pytest_django import Settings

from accounts import photos
from accounts.refusals import Refusal
from config.errors import answer_to
from tests.accounts.pictures import BAD_FILES, SECRET, photo, photo_on_its_side, photo_with_secrets, upload


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """An empty folder of photos."""
    settings.IDENTITY_ROOT = tmp_path / "private" / "identity"
    return settings.IDENTITY_ROOT


def redrawn(data: bytes) -> Image.Image:
    picture = Image.open(BytesIO(photos.redraw(upload(data))))
    picture.load()
    return picture


def is_red(picture: Image.Image, place: tuple[int, int]) -> bool:
    colour = picture.getpixel(place)
    assert isinstance(colour, tuple)
    red, _, blue = colour
    return red > 200 and blue < 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photo_is_drawn_anew_as_a_jpeg_of_the_same_picture(kind: str):
    picture = redrawn(photo(kind))

    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (60, 40))
    assert (is_red(picture, (10, 20)), is_red(picture, (50, 20))) == (True, False)


def test_nothing_from_beside_the_pixels_survives():
    sent = photo_with_secrets()
    assert sent.count(SECRET) == 5

    kept = photos.redraw(upload(sent))

    assert b"script" not in kept
    with Image.open(BytesIO(kept)) as picture:
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert dict(picture.getexif()) == {}


def test_photo_stands_upright():
    picture = redrawn(photo_on_its_side())

    assert picture.size == (40, 60)
    assert (is_red(picture, (20, 10)), is_red(picture, (20, 50))) == (True, False)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_large_photo_is_drawn_smaller(kind: str):
    assert redrawn(photo(kind, (4000, 1000))).size == (2400, 600)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_photo_may_have_any_colours(mode: str):
    out = BytesIO()
    Image.new(mode, (30, 20)).save(out, "JPEG" if mode == "CMYK" else "PNG")

    assert (redrawn(out.getvalue()).mode, redrawn(out.getvalue()).size) == ("RGB", (30, 20))


@pytest.mark.parametrize(("make", "code"), BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_photo_is_refused(make: Callable[[], bytes], code: str):
    with pytest.raises(Refusal) as refusal:
        photos.redraw(upload(make()))

    assert answer_to(refusal.value).code == code


def test_photo_of_just_the_largest_size_is_taken():
    sent = photo()

    assert redrawn(sent + b"\0" * (photos.MAX_BYTES - len(sent))).size == (60, 40)


def test_picture_is_kept_where_only_we_can_read_it(folder: Path):
    names = [photos.keep(b"one"), photos.keep(b"two")]

    assert [photos.read(name) for name in names] == [b"one", b"two"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_removed_picture_is_gone_and_removing_it_again_does_no_harm(folder: Path):
    name, other = photos.keep(b"one"), photos.keep(b"two")

    for _ in range(2):
        photos.remove(name)
    photos.remove("")

    assert [path.name for path in folder.iterdir()] == [other]


def test_pictures_settle_after_an_hour(folder: Path):
    assert list(photos.settled()) == []
    new, old = photos.keep(b"one"), photos.keep(b"two")
    for name, age in ((new, 3590), (old, 3610)):
        os.utime(folder / name, (time.time() - age,) * 2)

    assert list(photos.settled()) == [old]

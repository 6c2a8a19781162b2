"""What a file is, by its bytes; and what becomes of its name."""

from pathlib import Path

import pytest

from tests.support import samples
from visit_api.attachments import types
from visit_api.attachments.pictures import pixels


def named(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "name", "media_type", "kind"),
    [
        (samples.png(), "签名.png", "image/png", "signature"),
        (samples.jpeg(), "现场.JPG", "image/jpeg", "photo"),
        (samples.HEIC, "现场.heic", "image/heic", "photo"),
        (samples.heic(4032, 3024), "现场.heic", "image/heic", "photo"),
        *[(samples.webp(form), "现场.webp", "image/webp", "photo") for form in ("VP8 ", "VP8L", "VP8X")],
        (samples.AMR, "录音.amr", "audio/amr", "audio"),
        (samples.M4A, "录音.m4a", "audio/mp4", "audio"),
        (samples.WAV, "录音.wav", "audio/wav", "audio"),
        (samples.MP3, "录音.mp3", "audio/mpeg", "audio"),
        (samples.PDF, "方案.pdf", "application/pdf", "document"),
        (samples.WORD, "方案.doc", "application/msword", "document"),
        (samples.WORD, "报表.xls", "application/vnd.ms-excel", "document"),
        (samples.office("word"), "方案.docx", f"{types._OFFICE}wordprocessingml.document", "document"),
        (samples.office("xl"), "报表.xlsx", f"{types._OFFICE}spreadsheetml.sheet", "document"),
        (samples.office("ppt"), "介绍.pptx", f"{types._OFFICE}presentationml.presentation", "document"),
    ],
)
def test_what_is_allowed_is_known_by_its_bytes(
    tmp_path: Path, data: bytes, name: str, media_type: str, kind: str
) -> None:
    path = named(tmp_path, data)
    its = types.sniff(path, name)
    assert its is not None
    assert its.media_type == media_type
    assert kind in its.kinds
    assert types.fits(name, its)
    assert types.is_sound(path, its)


@pytest.mark.parametrize(
    "data",
    [
        samples.HTML,
        samples.SVG,
        samples.EXE,
        samples.MP4,
        b"text",
        b"\0",
        b"PK\x03\x04 no zip at all",
        samples.office("other"),
        samples.office("word", {"xl/a.xml": b"both"}),
        samples.office("word", {"word/vbaProject.bin": b"macro"}),
    ],
)
def test_anything_else_is_nothing_of_ours(tmp_path: Path, data: bytes) -> None:
    assert types.sniff(named(tmp_path, data), "方案.docx") is None


def test_a_name_that_says_otherwise_does_not_fit(tmp_path: Path) -> None:
    its = types.sniff(named(tmp_path, samples.png()), "x.png")
    assert its is not None
    assert [types.fits(name, its) for name in ("a.png", "a.PNG", "a", "走访.2026", "a.exe", "a.jpg", "a.pdf")] == [
        True, True, True, True, True, False, False
    ]  # fmt: skip
    assert [types.with_ending(name, its) for name in ("a.png", "a", "a.exe")] == ["a.png", "a.png", "a.exe.png"]


def test_what_would_burst_whoever_opens_it_is_not_sound(tmp_path: Path) -> None:
    bomb = samples.office("word", {"word/bomb.xml": bytes(20 << 20)})
    broken = bytearray(samples.office("word", {"word/b.xml": bytes(range(256)) * 40}))
    broken[broken.index(b"word/b.xml") + 40] ^= 0xFF
    walls = [samples.webp(form, 16_000, 16_000) for form in ("VP8 ", "VP8L", "VP8X")]
    walls += [make(60_000, 60_000) for make in (samples.png, samples.jpeg, samples.heic)]
    for data in (bomb, bytes(broken), *walls, samples.png(0, 5)):
        path = named(tmp_path, data)
        its = types.sniff(path, "x")
        assert its is not None
        assert not types.is_sound(path, its), len(data)


def test_a_table_of_contents_that_would_fill_memory_is_not_read(tmp_path: Path) -> None:
    long = samples.office("word", {f"word/{number:02}{'a' * 60_000}": b"" for number in range(40)})
    assert types.sniff(named(tmp_path, long), "x.docx") is None


@pytest.mark.parametrize("marks", [b"\xff", b"\xff\xd0", b"\xff\xe1\0\2"], ids=["filling", "alone", "empty"])
def test_what_a_photo_is_made_of_is_not_searched_for_ever(tmp_path: Path, marks: bytes) -> None:
    its = samples.jpeg(4032, 3024)
    frame = its.index(b"\xff\xc0")

    def found(times: int) -> int | None:
        return pixels(named(tmp_path, its[:frame] + marks * times + its[frame:]), "image/jpeg")

    assert (found(1000), found(1_000_000)) == (4032 * 3024, 0)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("现场照片.jpg", "现场照片.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/absolute", "absolute"),
        ("..", "attachment"),
        ("a/", "attachment"),
        (". .hidden.", "hidden"),
        ('a<b>:"|?*.png', "ab.png"),
        ("gpj\u202egnp.exe", "gpjgnp.exe"),
        ("长" * 250 + ".jpeg", "长" * 115 + ".jpeg"),
    ],
)
def test_a_name_is_made_harmless(name: str, kept: str) -> None:
    assert types.harmless(name) == kept

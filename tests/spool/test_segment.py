from pathlib import Path

from reenact.spool.segment import named, segments


def test_segments_are_listed_oldest_first(tmp_path: Path) -> None:
    """Segments sort by number, and other files in the folder are none of them."""
    late, early = named(tmp_path, 12, 0xFF), named(tmp_path, 3, 0xFFFFFFFF)
    for path in (late.path, early.path, tmp_path / "notes.txt", tmp_path / "x-y.spool", tmp_path / "5.spool"):
        path.touch()
    assert segments(tmp_path) == [early, late]


def test_a_missing_folder_has_no_segments(tmp_path: Path) -> None:
    """A folder that was never made reads as empty."""
    assert segments(tmp_path / "none") == []

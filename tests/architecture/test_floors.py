"""The floor plan of ARCHITECTURE.md holds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_import_contracts_are_kept() -> None:
    """Every import goes down the floors, siblings do not circle, and the hot path reaches no database."""
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_picture_names_every_floor() -> None:
    """ARCHITECTURE.md and the package name the same floors."""
    picture = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    floors = {
        path.stem
        for path in (ROOT / "src" / "reenact").iterdir()
        if path.stem not in {"py", "__init__", "__main__", "__pycache__"}
    }

    drawn = {word for word in picture.replace("|", " ").split() if word in floors}

    assert drawn == floors

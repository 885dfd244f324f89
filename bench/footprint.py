"""What Reenact weighs: bytes installed, time until it answers, memory while it idles. Beside it, a bare uvicorn app.

    python bench/footprint.py [--quick] [--json]

`--quick` measures the environment it runs in instead of installing a fresh one.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
HELLO = """
import uvicorn
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
uvicorn.run(app, port=%d, log_level="error")
"""
PACKAGING = re.compile(
    r"(pip|setuptools|pkg_resources|wheel|hatchling|editables|pathspec|pluggy|trove_classifiers|packaging|_distutils_hack)\b"
)


def installed_bytes(venv: Path) -> int:
    """Return the bytes of the packages in *venv*, installers left out."""
    [site] = venv.glob("lib/python*/site-packages")
    return sum(
        path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and not path.is_symlink() and not PACKAGING.match(path.relative_to(site).parts[0].lower())
    )


def free_port() -> int:
    """Return a port that was free a moment ago."""
    import socket  # noqa: PLC0415 - only here

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(command: list[str], url: str) -> tuple[float, float, float]:
    """Run *command* until *url* answers; return seconds until then, and MB of PSS and RSS a second later."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=1).read()
                break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if process.poll() is not None or time.perf_counter() - started > 30:
                    raise
                time.sleep(0.01)
        ready = time.perf_counter() - started
        time.sleep(1)
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        pss, rss = (int(re.search(rf"^{name}:\s+(\d+)", rollup, re.MULTILINE)[1]) / 1024 for name in ("Pss", "Rss"))
        return ready, pss, rss
    finally:
        process.terminate()
        process.wait()


def measure(python: Path, rounds: int) -> dict[str, float]:
    """Return medians over *rounds* starts of the server and of the bare app, taken in turns."""
    ours, bare = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            command = [str(python), "-m", "reenact", "serve", "--data", f"{folder}/data", "--port", str(port)]
            ours.append(start(command, f"http://127.0.0.1:{port}/healthcheck"))
            port = free_port()
            bare.append(start([str(python), "-c", HELLO % port], f"http://127.0.0.1:{port}/"))
    names = ("ready_s", "pss_mb", "rss_mb")
    result = {name: statistics.median(values) for name, values in zip(names, zip(*ours, strict=True), strict=True)}
    return result | {
        f"bare_{name}": statistics.median(values) for name, values in zip(names, zip(*bare, strict=True), strict=True)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(sys.prefix)
        if not options.quick:
            venv = Path(folder) / "venv"
            subprocess.run(
                [ROOT / "scripts" / "setup", "runtime"],
                env={**os.environ, "REENACT_VENV": str(venv)},
                check=True,
                stdout=2,
            )
        result = {"installed_mb": installed_bytes(venv) / 1e6} | measure(
            venv / "bin" / "python", 3 if options.quick else 7
        )
    if options.json:
        print(json.dumps(result))
        return
    where = "  (the environment this runs in)" if options.quick else ""
    print(f"installed     {result['installed_mb']:7.1f} MB   {result['installed_mb'] * 1e6 / 2**20:.1f} MiB{where}")
    for name, unit in (("ready", "s"), ("pss", "mb"), ("rss", "mb")):
        ours, bare = result[f"{name}_{unit}"], result[f"bare_{name}_{unit}"]
        shown = f"{ours:7.2f} {unit.upper() if unit == 'mb' else unit:2}"
        print(f"{name:13} {shown}   bare uvicorn {bare:7.2f}   ratio {ours / bare:5.1f}")


if __name__ == "__main__":
    main()

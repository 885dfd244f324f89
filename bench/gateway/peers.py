"""The gateways that users could pick instead: how each is installed from its package, configured and started."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
TENSORZERO = """
import sys, threading
from tensorzero import tensorzero
gateway = tensorzero._start_http_gateway(
    config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
print(gateway.base_url, flush=True)
threading.Event().wait()
"""
TENSORZERO_CONFIG = """
[gateway]
observability.enabled = false
[models.small]
routing = ["upstream"]
[models.small.providers.upstream]
type = "openai"
model_name = "gpt-4o-mini"
api_base = "{upstream}/v1/"
[models.paced]
routing = ["upstream"]
[models.paced.providers.upstream]
type = "openai"
model_name = "paced"
api_base = "{upstream}/v1/"
"""
NGINX_CONFIG = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream provider {{ server {host}; keepalive 512; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=2048; client_max_body_size 64m; client_body_buffer_size 256k;
    location / {{ proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway ready to be started."""

    command: list[str]
    environ: dict[str, str] = {}
    path: str = "/v1/chat/completions"
    headers: tuple[str, ...] = ()
    models: dict[str, str] = {}
    """The name by which this gateway knows a model, where it is another."""
    prints_address: bool = False
    """Whether it picks its own port and prints its address first."""
    warm_s: float = 2.0
    """How long it is driven before it is measured."""


def install(cache: Path) -> None:
    """Install the peers' packages below *cache*; what is there already stays."""
    cache.mkdir(parents=True, exist_ok=True)
    for name, package in (("tensorzero", "tensorzero"), ("mitmproxy", "mitmproxy"), ("litellm", "litellm[proxy]")):
        if not (cache / name).exists():
            print(f"installing {name} ...", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", cache / name], check=True)
            subprocess.run([cache / name / "bin" / "pip", "install", "--quiet", package], check=True)
    if not (cache / "portkey" / "node_modules").exists() and shutil.which("npm"):
        print("installing portkey ...", file=sys.stderr)
        subprocess.run(["npm", "install", "--silent", "--prefix", cache / "portkey", "@portkey-ai/gateway"], check=True)


def ours(folder: Path, port: int, upstream: str) -> Peer:
    """Return Reenact as a busy deployment runs it: one worker that relays, recording on, durable, on a new data folder."""
    workers = ["--gateway-workers", "1"]
    serve = ["serve", "--data", str(folder / "data"), "--port", str(port), "--upstream", f"openai={upstream}"]
    return Peer(
        command=[sys.executable, "-m", "reenact", *serve, *workers],
        path="/v1/gateway/oai/v1/chat/completions",
        headers=("helicone-session-id: bench", "helicone-session-path: /bench"),
    )


def nginx(folder: Path, port: int, upstream: str) -> Peer:
    """Return nginx as a plain reverse proxy: the floor."""
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, port=port, host=upstream.removeprefix("http://")))
    return Peer(command=["nginx", "-p", str(folder), "-c", str(config), "-g", "daemon off;"])


def bare(folder: Path, port: int, upstream: str) -> Peer:
    """Return the relay that does nothing but pass bytes on and append them to a file."""
    command = [sys.executable, str(Path(__file__).with_name("bare.py")), str(port), upstream, str(folder / "journal")]
    return Peer(command=command)


def tensorzero(folder: Path, port: int, upstream: str, cache: Path) -> Peer:
    """Return TensorZero's gateway out of its wheel, observability off."""
    (folder / "tensorzero.toml").write_text(TENSORZERO_CONFIG.format(upstream=upstream))
    (folder / "tensorzero_main.py").write_text(TENSORZERO)
    names = {"gpt-4o-mini": "tensorzero::model_name::small", "paced": "tensorzero::model_name::paced"}
    return Peer(
        command=[str(cache / "tensorzero/bin/python"), str(folder / "tensorzero_main.py"), str(folder / "tensorzero.toml")],
        environ={"OPENAI_API_KEY": "sk-test", "RUST_LOG": "error"},
        path="/openai/v1/chat/completions", models=names, prints_address=True,
    )  # fmt: skip


def portkey(folder: Path, port: int, upstream: str, cache: Path) -> Peer:
    """Return Portkey's gateway out of its npm package; it needs twenty seconds of load until it is compiled."""
    [server] = (cache / "portkey/node_modules/@portkey-ai/gateway/build").glob("start-server.js")
    return Peer(
        command=["node", str(server), f"--port={port}", "--headless"],
        environ={"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"},
        headers=("x-portkey-provider: openai", f"x-portkey-custom-host: {upstream}/v1"), warm_s=20.0,
    )  # fmt: skip


def mitmdump(folder: Path, port: int, upstream: str, cache: Path) -> Peer:
    """Return mitmdump as a reverse proxy that records."""
    flows = str(folder / "flows")
    command = [
        str(cache / "mitmproxy/bin/mitmdump"),
        "--mode",
        f"reverse:{upstream}",
        "-p",
        str(port),
        "-q",
        "-w",
        flows,
    ]
    return Peer(command=[*command, "--set", f"confdir={folder}"])


def litellm(folder: Path, port: int, upstream: str, cache: Path) -> Peer:
    """Return LiteLLM's proxy, one worker, without a database."""
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": f"openai/{name}", "api_base": f"{upstream}/v1", "api_key": "sk-test"},
        }
        for name in ("gpt-4o-mini", "paced")
    ]
    (folder / "litellm.yaml").write_text(
        json.dumps({"model_list": models, "litellm_settings": {"telemetry": False, "num_retries": 0}})
    )
    arguments = [
        "--config",
        str(folder / "litellm.yaml"),
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--num_workers",
        "1",
    ]
    return Peer(
        command=[str(cache / "litellm/bin/litellm"), *arguments],
        environ={
            "LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENAI_API_KEY": "sk-test", "NO_DOCS": "True",
            "LITELLM_MASTER_KEY": "sk-test-0123456789abcdef", "PATH": f"{cache / 'litellm/bin'}:{os.environ['PATH']}",
        },
        warm_s=4.0,
    )  # fmt: skip


def peer(name: str, folder: Path, port: int, upstream: str, cache: Path) -> Peer | None:
    """Return a gateway by name, None where its package is not installed."""
    if name == "reenact":
        return ours(folder, port, upstream)
    if name == "bare":
        return bare(folder, port, upstream)
    if name == "nginx":
        return nginx(folder, port, upstream) if shutil.which("nginx") else None
    where = {"tensorzero": tensorzero, "portkey": portkey, "mitmdump": mitmdump, "litellm": litellm}[name]
    installed = {"mitmdump": "mitmproxy"}.get(name, name)
    return where(folder, port, upstream, cache) if (cache / installed).exists() else None

"""OpenLLMetry's instrumentation of the OpenAI SDK: the calls go to the provider itself, their spans to the server."""

import os

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from told import CHAT, HEADERS, KEY, STREAM, call, tell

exporter = OTLPSpanExporter(
    endpoint=f"{os.environ['GATEWAY']}/v1/trace/log",
    headers={"Authorization": f"Bearer {os.environ['HELICONE_API_KEY']}", **HEADERS},
)
spans = TracerProvider()
spans.add_span_processor(BatchSpanProcessor(exporter))
trace.set_tracer_provider(spans)
OpenAIInstrumentor().instrument()

client = OpenAI(api_key=KEY, base_url=f"{os.environ['PROVIDER']}/v1")
with trace.get_tracer("journey").start_as_current_span("trip"):
    chat = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": CHAT}])
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": STREAM}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
spans.shutdown()

said = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
usage = next(chunk.usage for chunk in reversed(chunks) if chunk.usage)
tell(
    call(chat.choices[0].message.content, (chat.usage.prompt_tokens, chat.usage.completion_tokens)),
    call(said, (usage.prompt_tokens, usage.completion_tokens)),
)

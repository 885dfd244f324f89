"""Forwarder: sends a call to where its headers say, one place after the other where they name several."""

import time
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from urllib.parse import urljoin

import msgspec

from reenact.domain.exchange import Header
from reenact.errors import InvalidInput, UpstreamFailed
from reenact.gateway.answers import HeldAnswer, hold
from reenact.gateway.ask import Ask
from reenact.gateway.controls import Fallback, Mapping, Overflow
from reenact.gateway.course import Course
from reenact.gateway.deviating import deviation
from reenact.gateway.electing import (
    TOO_LONG,
    Candidate,
    Failure,
    compatible_path,
    elect,
    fails_over,
    is_too_long,
    mapping_of,
    told_failure,
)
from reenact.gateway.falling_back import falls, merged_body, replaced_headers
from reenact.gateway.keying import brought_key, keyed
from reenact.gateway.means import Means
from reenact.gateway.refusing import Refusal, refuse
from reenact.gateway.retrier import Retrier
from reenact.gateway.rewriting import read_fields, with_model, with_usage, without_compression
from reenact.gateway.routing import Routes
from reenact.gateway.shrinking import kept_share, shrink
from reenact.gateway.source import AnswerSource, UpstreamAnswer, UpstreamRequest

_PATIENCE_S = 30 * 60.0
_DISALLOWED = "disallowed"
_MOST_CUTS = 3
"""How often a prompt that is too long is cut for one provider."""
_KEYS = frozenset({b"api-key", b"authorization", b"x-api-key", b"x-goog-api-key"})


class Forwarder:
    """Asks one source, with retries at every place."""

    def __init__(
        self, source: AnswerSource, routes: Routes, means: Means, now_s: Callable[[], float] = time.time
    ) -> None:
        self._retrier = Retrier(source, now_s)
        self._routes = routes
        self._means = means

    async def open(self, course: Course) -> UpstreamAnswer | Refusal:
        """Send the call and return its answer, or the gateway's own in its place.

        Raises:
            UpstreamFailed: no answer came from the last place.
        """
        if course.ask.elects or course.ask.controls.fallbacks:
            return await self._choose(course)
        if course.ask.controls.overflow is not None:
            course.note("Helicone-Token-Limit-Exception-Handler: it counts where the provider is left to the gateway.")
        return self._objection(course.ask) or await self._open(course)

    async def _choose(self, course: Course) -> UpstreamAnswer | Refusal:
        """Send the call to one place after the other, and note what was asked where that is not what was sent last."""
        asked = course.ask
        try:
            if asked.elects:
                return await self._elect(course)
            return await self._fall_back(course, asked.controls.fallbacks)
        finally:
            course.handle(asked=deviation(asked, course.ask))

    async def _open(self, course: Course) -> UpstreamAnswer:
        ask = course.ask
        request = UpstreamRequest(
            method=ask.method,
            origin=ask.origin,
            target=ask.target,
            headers=ask.headers,
            body=ask.body,
            is_guarded=ask.is_guarded,
            silence_timeout_s=_PATIENCE_S if ask.controls.is_patient else None,
        )
        return await self._retrier.open(request, ask.controls.retries, course.count)

    def _objection(self, ask: Ask) -> Refusal | None:
        """Return the answer to a call whose agent named a target that it may not name."""
        objection = self._means.guard.objection(ask.origin) if ask.is_guarded else None
        return refuse(403, _DISALLOWED, objection) if objection is not None else None

    # --- fallbacks (surface 5.5)

    async def _fall_back(self, course: Course, fallbacks: tuple[Fallback, ...]) -> UpstreamAnswer | Refusal:
        try:
            asks = [self._aimed(course.ask, fallback) for fallback in fallbacks]
        except InvalidInput:  # its message shows the target, which may hold a password
            return refuse(400, "invalid_fallbacks", "A target of Helicone-Fallbacks is no http or https URL.")
        objections = [refusal for ask in asks if (refusal := self._objection(ask)) is not None]
        if objections:
            return objections[0]
        last = len(asks) - 1
        for index, (ask, fallback) in enumerate(zip(asks, fallbacks, strict=True)):
            course.ask = ask
            try:
                answer = await self._open(course)
            except UpstreamFailed:
                if index == last:
                    raise
                continue
            if index == last or not falls(fallback, answer.status):
                break
            await answer.close()
        course.handle(fallback_index=index)
        course.told.append((b"helicone-fallback-index", b"%d" % index))
        if fallbacks[index].body_override:
            course.handle(changed_by=(*course.handling.changed_by, "Helicone-Fallbacks"))
        return answer

    def _aimed(self, ask: Ask, fallback: Fallback) -> Ask:
        """Return *ask* as *fallback* wants it.

        Raises:
            InvalidInput: its target is no URL.
        """
        place = self._routes.locate(fallback.target_url)
        headers = replaced_headers(ask.headers, fallback.headers)
        return msgspec.structs.replace(
            ask,
            provider=place.provider,
            origin=place.origin,
            headers=keyed(headers, place.auth, ask.target),
            body=merged_body(ask.body, fallback.body_override),
            is_guarded=place.is_guarded,
        )

    # --- a choice of providers (surface 2.3)

    async def _elect(self, course: Course) -> UpstreamAnswer | Refusal:
        course.handle(body_mapping=mapping_of(course.ask.target, course.ask.controls.mapping).value)
        fields = read_fields(course.ask.body)
        model = _text(fields.get("model", b"")) if fields is not None else None
        if model is None:
            return refuse(400, "invalid_format", "The body must be a JSON object with a model such as gpt-4o/openai.")
        brought = brought_key(course.ask.headers)
        election = elect(model, self._means.provider_keys, brings_key=brought is not None)
        if not election.candidates:
            wanted = ", ".join(election.disallowed) or "any provider"
            message = (
                f"No provider is left for the model {model!r}: there is no key for {wanted}. "
                "Send it as Authorization: Bearer KEY, or set REENACT_PROVIDER_KEYS for the server."
            )
            return refuse(400, _DISALLOWED, message)
        keys = dict(self._means.provider_keys)
        if brought is not None and election.owner is not None:
            keys[election.owner] = brought
        try:
            calls = [(candidate, self._addressed(course.ask, candidate, keys)) for candidate in election.candidates]
        except InvalidInput as error:  # a provider that has no address of its own
            return refuse(400, _DISALLOWED, error.message)
        return await self._first_good(course, calls)

    async def _first_good(self, course: Course, calls: Sequence[tuple[Candidate, Ask]]) -> UpstreamAnswer:
        failures: list[Failure] = []
        outcomes: list[HeldAnswer | UpstreamFailed] = []
        for candidate, ask in calls:
            course.ask = ask
            try:
                answer = await self._fitted(course)
                if answer.status < 400:
                    return self._won(course, candidate, answer)
                held = await hold(answer)
            except UpstreamFailed as failure:
                failures.append(Failure(504 if failure.kind == "timeout" else 502, len(outcomes)))
                outcomes.append(failure)
                continue
            if not fails_over(held.status, held.body):
                return self._won(course, candidate, held)
            failures.append(Failure(held.status, len(outcomes)))
            outcomes.append(held)
        told = told_failure(failures).number
        candidate, course.ask = calls[told]
        outcome = outcomes[told]
        if isinstance(outcome, UpstreamFailed):
            raise outcome
        return self._won(course, candidate, outcome)

    async def _fitted(self, course: Course) -> UpstreamAnswer:
        """Send the call, cut shorter as long as its headers wish that and its provider finds it too long."""
        overflow = course.ask.controls.overflow
        for _ in range(0 if overflow in {None, Overflow.FALLBACK} else _MOST_CUTS):
            answer = await self._open(course)
            if answer.status not in TOO_LONG:
                return answer
            held = await hold(answer)
            if (body := _fitting(course.ask, held)) is None:
                return held
            course.change(body, "Helicone-Token-Limit-Exception-Handler")
        return await self._open(course)

    def _won(self, course: Course, candidate: Candidate, answer: UpstreamAnswer) -> UpstreamAnswer:
        course.handle(changed_by=(*course.handling.changed_by, "model"))
        course.told += [
            (b"helicone-provider", candidate.provider.encode()),
            (b"helicone-model", candidate.model.encode("ascii", "replace")),
            (b"helicone-gateway-mode", b"BYOK"),
        ]
        return answer

    def _addressed(self, ask: Ask, candidate: Candidate, provider_keys: MappingOf[str, str]) -> Ask:
        """Return *ask* for *candidate*, as if the agent had called that provider itself.

        Raises:
            InvalidInput: this server knows no address of the provider.
        """
        mapping = mapping_of(ask.target, ask.controls.mapping)
        called, _, query = ask.target.partition(b"?")
        path = compatible_path(candidate.provider, called, mapping)
        place = self._routes.provider(candidate.provider, path + (b"?" + query if query else b""))
        body = with_model(ask.body, candidate.model, ("plugins",) if mapping is not Mapping.NO_MAPPING else ())
        key = provider_keys[candidate.provider]
        headers: tuple[Header, ...] = (
            *(header for header in without_compression(ask.headers) if header[0] not in _KEYS),
            (b"authorization", b"Bearer " + key.encode()),
        )
        return msgspec.structs.replace(
            ask,
            url=urljoin(ask.url, place.called.decode("latin-1")),
            provider=candidate.provider,
            origin=place.origin,
            target=place.target,
            headers=keyed(headers, place.auth, place.target),
            body=with_usage(body) if mapping is Mapping.OPENAI else body,
        )


def _fitting(ask: Ask, answer: HeldAnswer) -> bytes | None:
    """Return a shorter body for a call that was answered that it is too long; None for any other."""
    overflow = ask.controls.overflow
    if overflow is None or not is_too_long(answer.status, answer.body):
        return None
    return shrink(ask.body, kept_share(answer.body), overflow)


def _text(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str) or None
    except msgspec.DecodeError:
        return None

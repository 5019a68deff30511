"""Attacks on the doors for systems, over the running hub: each is refused, told nothing, and changes nothing."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pytest

from sandbox.helseid.faults import FAULTS, NO_FAULTS, Fault
from sandbox.hub_parts import ORGNR
from sandbox.stores import Stores, open_stores
from shared.access.scopes import PREFIX
from shared.messages.lanes import lane_of
from shared.registry.model import SYSTEMS, Grant, Municipality, RateLimit, Receiver, System
from tests.flow.attacking import call, mint, raw, system
from tests.flow.hub import World
from tests.messages import alarm, alarm_json

HOME = f"/epj/r4/{ORGNR}"
BUNDLE = f"{HOME}/bundle"
NEIGHBOUR = "310000027"
JSON = ("Content-Type", "application/fhir+json")


@dataclass(frozen=True)
class Victim:
    """A message of somebody else's, and an attacker whom the same municipality has let in."""

    id: str
    attacker: list[tuple[str, str]]


@pytest.fixture(scope="module")
async def stores(hub: World) -> AsyncIterator[Stores]:
    async with open_stores(hub.hub.addresses.cosmos, hub.hub.addresses.database) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
async def _neighbours(stores: Stores) -> None:
    """A second municipality that let in another system, and two more systems at the first."""
    nowhere = Municipality(NEIGHBOUR, "Nabo kommune", (Receiver("epj", "http://127.0.0.1:1/"),))
    grants = (Grant(NEIGHBOUR, "nabo-test"), Grant(ORGNR, "angriper-test"), Grant(ORGNR, "flom-test"))
    flood = System("flom-test", rate_limit=RateLimit(per_second=1, burst=5))
    for document, orgnr in (
        (nowhere.document(), NEIGHBOUR),
        *((each.document(), each.orgnr) for each in grants),
        (flood.document(), SYSTEMS),
    ):
        await stores.registry.put(document, orgnr)


@pytest.fixture(scope="module")
async def victim(hub: World, _neighbours: None) -> Victim:
    location = await hub.accepted(alarm())
    return Victim(location.split("/")[-2], await system(hub, "angriper-test"))


# Tokens and proofs


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("door", ["send", "status"])
async def test_no_faulty_token_or_proof_gets_in(hub: World, fault: Fault, door: str) -> None:
    method, path = ("POST", BUNDLE) if door == "send" else ("GET", f"{BUNDLE}/{'a' * 20}.{'a' * 26}/$status")
    headers = await mint(hub, fault=fault.name, proof={"method": method, "url": f"{hub.api}{path}"})
    told = await call(hub, method, path, [*headers, JSON], alarm() if door == "send" else None)
    # A header larger than any real one is the host's to refuse, before the hub sees it.
    assert told.status == (400 if fault.error == "invalid_request" or fault.name == "oversized" else 401), told.body
    if fault.name != "oversized":
        assert f'error="{fault.error}"' in told.headers["WWW-Authenticate"]


@pytest.mark.parametrize("unusual", NO_FAULTS, ids=lambda fault: fault.name)
async def test_what_is_unusual_but_right_gets_in(hub: World, unusual: Fault) -> None:
    # Otherwise the refusals above might be for another reason.
    headers = await mint(hub, fault=unusual.name, proof={"url": f"{hub.api}{BUNDLE}"})
    assert (await call(hub, "POST", BUNDLE, [*headers, JSON], alarm())).status == 202


async def test_a_token_for_another_municipality_does_not_open_this_one(hub: World) -> None:
    told = await call(hub, "POST", BUNDLE, [*await system(hub, "nabo-test"), JSON], alarm())
    assert (told.status, told.code) == (403, "SEND_NOT_GRANTED")
    told = await call(hub, "POST", f"/epj/r4/{NEIGHBOUR}/bundle", [*await system(hub, "angriper-test"), JSON], alarm())
    assert (told.status, told.code) == (403, "SEND_NOT_GRANTED")


@pytest.mark.parametrize(
    "scope",
    [
        "observation.write", "observation.*", "bundle.read", "Bundle.write", "bundle.WRITE", "*.write", "*", "*.*",
        "bundle", "bundle.", "bundle.write.", "bundle.write/../*", "observation.write bundle.write", "bundle.write\n",
        "bundle.writ\u0435", "",
    ],
)  # fmt: skip
async def test_a_scope_for_another_resource_or_in_other_letters_does_not_send(hub: World, scope: str) -> None:
    headers = await system(hub, "trygghetsvakt-test", f"{PREFIX}{scope}")
    told = await call(hub, "POST", BUNDLE, [*headers, JSON], alarm())
    assert (told.status, told.code) == (403, "SEND_SCOPE_MISSING")


# Who a message is from and for


async def test_the_orgnr_and_sender_in_a_body_count_for_nothing(hub: World, stores: Stores) -> None:
    message = alarm_json()
    organisation = {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": NEIGHBOUR}}
    message["entry"][0]["resource"] |= {"author": [organisation], "custodian": organisation}
    body = json.dumps(message).encode()
    spoofed = [("X-Vkp-Id", "nabo-test"), ("X-Orgnr", NEIGHBOUR), ("X-Ms-Client-Principal-Id", "nabo-test")]
    headers = [*await system(hub, "angriper-test"), *spoofed, JSON]
    told = await call(hub, "POST", BUNDLE, headers, body)
    assert told.status == 202, told.body
    event = told.headers["Location"].split("/")[-2]
    lane = lane_of(event)
    assert lane is not None
    stored = await stores.events.find(event, lane)
    assert stored is not None
    assert (stored["sender"], stored["orgnr"]) == ("angriper-test", ORGNR)
    other = f"/epj/r4/{NEIGHBOUR}/bundle/{event}/$status"
    assert (await call(hub, "GET", other, await system(hub, "nabo-test"))).status == 404


async def test_another_senders_message_looks_like_one_that_is_not_there(hub: World, victim: Victim) -> None:
    assert (await call(hub, "GET", f"{BUNDLE}/{victim.id}/$status", await hub_vendor(hub))).status == 200
    answers = [
        await call(hub, "GET", f"{BUNDLE}/{each}/$status", victim.attacker)
        for each in (victim.id, f"{'a' * 20}.{'a' * 26}", f"{victim.id[:-1]}a", "no-id-at-all")
    ]
    assert answers[0].status == 404
    assert len({each.apart_from_its_id for each in answers}) == 1


async def test_a_message_is_not_found_by_another_municipality_or_resource(hub: World, victim: Victim) -> None:
    owner = await hub_vendor(hub)
    for path in (f"{HOME}/observation/{victim.id}", f"/epj/r4/{NEIGHBOUR}/bundle/{victim.id}"):
        told = await call(hub, "GET", f"{path}/$status", owner)
        assert told.status in (403, 404)
        assert victim.id.encode() not in told.body


async def test_an_id_in_other_letters_is_another_id(hub: World, victim: Victim) -> None:
    owner = await hub_vendor(hub)
    wide = "".join(chr(ord(each) + 0xFEE0) if each.isalnum() else each for each in victim.id)
    variants = [
        victim.id.upper(), wide, f"{victim.id} ", f" {victim.id}", f"{victim.id}.", f"{victim.id}\0", f"{victim.id}\n",
        f"{victim.id}\u200d", f"\ufeff{victim.id}", victim.id.replace(".", "\uff0e"), victim.id.replace(".", "\u2024"),
        f"{victim.id}.epj", victim.id.replace("i", "\u0131"), f"{victim.id};a=b", f"{victim.id}#",
    ]  # fmt: skip
    for variant in variants:
        if variant != victim.id:
            told = await call(hub, "GET", f"{BUNDLE}/{quote(variant, safe='')}/$status", owner)
            assert told.status == 404, variant


@pytest.mark.parametrize(
    "path",
    [
        "/epj/r4/３１０００００１９/bundle", f"/epj/r4/{ORGNR} /bundle", f"/epj/r4/{ORGNR}\0/bundle",
        f"/epj/r4/{ORGNR}\n/bundle", f"/epj/r4/{ORGNR},{NEIGHBOUR}/bundle", f"/epj/r4/+{ORGNR}/bundle",
        f"{HOME}/ｂｕｎｄｌｅ", f"{HOME}/bundle ", f"{HOME}/bundle\0", f"{HOME}/bundle;x", f"{HOME}/bundlé",
        f"{HOME}/..%2f..%2fregistry", "/epj/r4/../../registry/municipalities", "/epj/r4/systems/bundle",
    ],
)  # fmt: skip
async def test_an_address_in_other_letters_is_no_address(hub: World, path: str) -> None:
    told = await call(hub, "POST", quote(path, safe="/%"), [*await hub_vendor(hub), JSON], alarm())
    assert told.status == 404, told.body


# What a call is made of


def bare(*lines: str, body: bytes = b"") -> bytes:
    """A call without a length but those in `lines`."""
    return "\r\n".join([*lines, "Connection: close"]).encode("latin-1") + b"\r\n\r\n" + body


def request(*lines: str, body: bytes = b"") -> bytes:
    return bare(*lines, f"Content-Length: {len(body)}", body=body)


async def smuggled(hub: World) -> list[tuple[str, bytes]]:
    """Calls of which two readers could disagree where they end or whose they are."""
    token = dict(await hub_vendor(hub))["Authorization"]
    host, good = f"Host: {urlsplit(hub.api).netloc}", f"Authorization: {token}"
    post, kind = f"POST {BUNDLE} HTTP/1.1", "Content-Type: application/fhir+json"
    body = alarm()
    secret = token.split()[1]
    inner = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    size = f"Content-Length: {len(body)}"
    return [
        ("length and chunks", bare(post, host, good, kind, "Transfer-Encoding: chunked", size, body=inner)),
        ("chunks twice", bare(post, host, good, kind, "Transfer-Encoding: chunked, chunked", body=inner)),
        ("unknown coding", bare(post, host, good, kind, "Transfer-Encoding: xchunked", size, body=body)),
        ("two lengths", bare(post, host, good, kind, "Content-Length: 5", size, body=body)),
        ("negative length", bare(post, host, good, kind, "Content-Length: -1", body=body)),
        ("signed length", bare(post, host, good, kind, f"Content-Length: +{len(body)}", body=body)),
        ("space before colon", request(post, host, f"Authorization : {token}", kind, body=body)),
        ("folded header", request(post, host, f"Authorization: Bearer\r\n {secret}", kind, body=body)),
        ("null in a header", request(post, host, good, f"{kind}\0", body=body)),
        ("two tokens", request(post, host, good, "Authorization: Bearer abc", kind, body=body)),
        ("the same token twice", request(post, host, good, good, kind, body=body)),
        ("underscore", request(post, host, f"Authorization_: {token}", kind, body=body)),
        ("token in the query", request(f"POST {BUNDLE}?access_token={secret} HTTP/1.1", host, kind, body=body)),
        ("no host", request(post.replace("HTTP/1.1", "HTTP/1.0"), kind, body=body)),
        ("old version", request(post.replace("HTTP/1.1", "HTTP/9.9"), host, good, kind, body=body)),
    ]  # fmt: skip


async def test_no_smuggled_header_or_second_request_gets_in(hub: World) -> None:
    for name, text in await smuggled(hub):
        status, came = await raw(hub, text)
        assert status in (0, 400, 401, 404, 431, 501, 505), (name, came[:200])
        assert came.count(b"HTTP/1.") <= 1, name
    # Otherwise they might be refused for another reason.
    token = dict(await hub_vendor(hub))["Authorization"]
    host = f"Host: {urlsplit(hub.api).netloc}"
    good = request(f"POST {BUNDLE} HTTP/1.1", host, f"Authorization: {token}", "Content-Type: text/plain", body=alarm())
    assert (await raw(hub, good))[0] == 202


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "GET"), ("X-Original-URL", "/admin/host/status"),
        ("X-Rewrite-URL", "/registry/municipalities"), ("X-Forwarded-Host", "evil.example"), ("Host", "evil.example"),
        ("Forwarded", "host=evil.example;proto=https"), ("X-Forwarded-Proto", "javascript"),
        ("X-Forwarded-Prefix", "/evil"), ("X-Functions-Key", "guess"), ("X-Ms-Client-Principal", "eyJ9"),
    ],
)  # fmt: skip
async def test_a_header_that_claims_another_address_or_method_is_not_believed(
    hub: World, name: str, value: str
) -> None:
    told = await call(hub, "POST", BUNDLE, [*await hub_vendor(hub), JSON, (name, value)], alarm())
    assert told.status == 202
    assert told.headers["Location"].startswith(f"{hub.api}{BUNDLE}/")
    assert "evil" not in str(told.headers)


@pytest.mark.parametrize("id", ["x" * 65, "a b", "a\tb", "<script>", "05834410070", "ref.05834410070.x", "ø", "../x"])
async def test_a_correlation_id_that_could_do_harm_is_not_taken(hub: World, id: str) -> None:
    told = await call(hub, "POST", BUNDLE, [JSON, ("Correlation-Id", id)], alarm())
    assert told.status == 401
    assert told.headers["Correlation-Id"] != id
    assert id not in told.headers["Correlation-Id"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET", "TRACE", "PROPFIND", "OPTIONS", "HEAD", "post"])
async def test_a_tampered_method_does_nothing(hub: World, method: str) -> None:
    body = alarm()
    headers = [*await hub_vendor(hub), JSON, ("Origin", "https://evil.example")]
    if method == "post":
        token = dict(headers)["Authorization"]
        host = f"Host: {urlsplit(hub.api).netloc}"
        status, _ = await raw(hub, request(f"post {BUNDLE} HTTP/1.1", host, f"Authorization: {token}", body=body))
        assert status in (0, 400, 404, 405)
    else:
        told = await call(hub, method, BUNDLE, headers, body if method not in ("TRACE", "HEAD") else None)
        assert told.status in (404, 405)
        # TRACE would give a proxy's headers back.
        assert b"Bearer" not in told.body
    # Whatever was stored before this would have arrived before it.
    after = alarm()
    await hub.accepted(after)
    await hub.arrives(after)
    assert await hub.got(body) is None


@pytest.mark.parametrize("where", ["header", "url", "headers"])
async def test_an_oversized_head_is_refused(hub: World, where: str) -> None:
    headers, path = [*await hub_vendor(hub), JSON], BUNDLE
    if where == "header":
        headers.append(("X-Big", "x" * 100_000))
    elif where == "headers":
        headers += [(f"X-{number}", "x") for number in range(50_000)]
    else:
        path += "?" + "x" * 100_000
    try:
        status = (await call(hub, "POST", path, headers, alarm())).status
    except OSError:
        status = 0  # The connection was closed while the head was still coming.
    assert status in (0, 400, 404, 413, 414, 431)


async def test_a_packed_body_does_not_unpack_to_more_than_is_read(hub: World) -> None:
    bomb = gzip.compress(b'{"resourceType": "Bundle", "x": "' + b"0" * 20_000_000 + b'"}')
    headers = [*await hub_vendor(hub), JSON, ("Content-Encoding", "gzip")]
    assert (await call(hub, "POST", BUNDLE, headers, bomb)).status in (400, 413, 415)


PROBES = (
    "' OR 1=1 --", '" OR ""="', "x'); DROP TABLE c; --", "{\"$ne\":null}", "${7*7}", "{{7*7}}", "../../../etc/passwd",
    "..\\..\\", "%2e%2e%2f", "a\r\nSet-Cookie: x=1", "a\0b", "\ud7ff\ufffe", "|id", "`id`", "*", "_etag", "a" * 2000,
    "1" * 2100, "<!ENTITY x SYSTEM 'file:///etc/passwd'>", "c.id", "~2F", "%", "%00",
)  # fmt: skip


@pytest.mark.parametrize("place", ["orgnr", "resource", "id", "query"])
async def test_injection_in_a_path_or_query_finds_nothing(hub: World, victim: Victim, place: str) -> None:
    owner = await hub_vendor(hub)
    for probe in PROBES:
        found = {"orgnr": ORGNR, "resource": "bundle", "id": victim.id, "query": ""}
        found[place] = quote(probe, safe="")
        path = f"/epj/r4/{found['orgnr']}/{found['resource']}/{found['id']}/$status"
        query = f"?id={found['query']}&orgnr={found['query']}&code={found['query']}" if found["query"] else ""
        told = await call(hub, "GET", path + query, owner)
        assert "Set-Cookie" not in told.headers
        # What is in the query is not read at all.
        assert told.status == 200 if place == "query" else told.status in (403, 404), probe
        posted = await call(hub, "POST", path.partition(f"/{found['id']}/$")[0] + query, [*owner, JSON], b"{}")
        assert posted.status in (403, 404, 422), probe
        assert "Set-Cookie" not in posted.headers


# How much, and what every answer has


async def test_a_flood_from_one_system_is_told_to_wait_and_hinders_nobody_else(
    hub: World, stores: Stores, victim: Victim
) -> None:
    flood = await system(hub, "flom-test")
    path = f"{BUNDLE}/{victim.id}/$status"
    answers = await asyncio.gather(*(call(hub, "GET", path, flood) for _ in range(40)))
    refused = [each for each in answers if each.status == 429]
    assert len(refused) >= 20
    assert all(each.code == "SEND_TOO_MANY" and int(each.headers["Retry-After"]) >= 1 for each in refused)
    posts = await asyncio.gather(*(call(hub, "POST", BUNDLE, [*flood, JSON], b"{}") for _ in range(40)))
    assert sum(each.status == 429 for each in posts) >= 20
    # A tenth of them at the most cost a document.
    kept = await stores.refusals.query("SELECT * FROM c WHERE c.vkpId = @vkp", {"@vkp": "flom-test"}, 100)
    assert len(kept) <= 20
    assert not any(each["code"] == "SEND_TOO_MANY" for each in kept)
    assert (await call(hub, "GET", path, victim.attacker)).status == 404
    await hub.accepted(alarm())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200), ("GET", "/metadata", 200), ("GET", "/openapi.json", 200), ("POST", BUNDLE, 401),
        ("GET", f"{BUNDLE}/x/$status", 401), ("GET", "/registry/municipalities", 401), ("GET", "/nothing", 404),
        ("POST", "/trail/_search", 401), ("OPTIONS", BUNDLE, 404), ("PUT", BUNDLE, 404),
        ("POST", f"{HOME}/$process-message", 401),
    ],
)  # fmt: skip
async def test_every_answer_has_security_headers_and_none_lets_web_pages_in(
    hub: World, method: str, path: str, status: int
) -> None:
    preflight = [("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")]
    told = await call(hub, method, path, preflight)
    assert told.status == status
    assert told.headers["X-Content-Type-Options"] == "nosniff"
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["Referrer-Policy"] == "no-referrer"
    assert told.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Strict-Transport-Security" not in told.headers, "the sandbox speaks http"
    assert "Set-Cookie" not in told.headers
    assert "X-Powered-By" not in told.headers


async def hub_vendor(hub: World) -> list[tuple[str, str]]:
    """The vendor that may send, and sent the victim's message."""
    return await system(hub, "trygghetsvakt-test")

"""API Management's policies: what stands where, in which order, and that refusals are the app's own."""

import shutil
from pathlib import Path

import pytest

from tests.data import REPOSITORY
from tools import apim_policies


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the check reads, to be broken."""
    shutil.copytree(REPOSITORY / "infra/apim", tmp_path / "infra/apim")
    for each in ("infra/main.bicep", "infra/modules/api-management.bicep"):
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / each, tmp_path / each)
    return tmp_path


def test_policies_are_what_they_must_be() -> None:
    assert apim_policies.findings() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("global.xml", "<outbound>", "<outbond>", "not well-formed"),
        ("global.xml", "length &gt; 1048576", "length &gt; 104857600", "not bounded by 1048576"),
        (
            "global.xml",
            '<set-header name="X-MS-CLIENT-PRINCIPAL" exists-action="delete" />',
            "",
            "forwarded identity stripped",
        ),
        (
            "global.xml",
            '<set-header name="X-Forwarded-Host" exists-action="delete" />',
            "",
            "X-Forwarded-Host is not taken away",
        ),
        ("global.xml", '<set-header name="Server" exists-action="delete" />', "", "Server is not taken away"),
        ("global.xml", "<value>nosniff</value>", "<value>sniff</value>", "X-Content-Type-Options is not nosniff"),
        (
            "global.xml",
            '<set-backend-service backend-id="api" />',
            '<set-backend-service backend-id="app" />',
            "no such backend",
        ),
        ("global.xml", 'follow-redirects="false"', 'follow-redirects="true"', "follows redirects"),
        ("global.xml", "429|SEND_TOO_MANY", "403|SEND_TOO_MANY", "SEND_TOO_MANY is not said as the app says it"),
        ("global.xml", "|SEND_BODY_TOO_LARGE|", "|SEND_BODY_TOO_BIG|", "no such refusal: SEND_BODY_TOO_BIG"),
        (
            "global.xml",
            "context.RequestId.ToString();",
            "context.Request.Body.As&lt;string&gt;();",
            "uses Request.Body",
        ),
        (
            "global.xml",
            "<outbound>",
            "<outbound><trace source='x'><message>y</message></trace>",
            "trace does not belong there",
        ),
        ("vendors.xml", "<inbound>\n    <base />", "<inbound>", "does not begin with base"),
        ("vendors.xml", '<quota-by-key calls="5000000"', '<x-quota calls="5000000"', "x-quota does not belong there"),
        (
            "vendors.xml",
            'fragment-id="helseid-token"',
            'fragment-id="helseid-tokens"',
            "no such fragment: helseid-tokens",
        ),
        ("municipalities.xml", '<include-fragment fragment-id="helseid-token" />', "", "no step \u201ctoken\u201d"),
        ("municipalities.xml", 'renewal-period="60"', 'renewal-period="600"', "1 to 300 seconds"),
        ("operators.xml", "<audience>{{entra-audience}}</audience>", "", "any audience"),
        ("operators.xml", 'require-signed-tokens="true"', 'require-signed-tokens="false"', "unsigned"),
        ("operators.xml", "{{entra-audience}}", "{{entra-audiens}}", "no such named value"),
        ("operators.xml", 'url="https://', 'url="http://', "without TLS"),
        ("operators.xml", 'failed-validation-httpcode="401"', 'failed-validation-httpcode="200"', "answered with 200"),
        ("fragments/helseid-token.xml", "<issuer>{{helseid-issuer}}</issuer>", "", "any issuer"),
        ("fragments/refusal.xml", "<value>no-store</value>", "<value>public</value>", "Cache-Control is not no-store"),
        (
            "products.json",
            '"subscriptionRequired": true',
            '"subscriptionRequired": false',
            "exactly one product is open",
        ),
        ("products.json", '"policy": "operators.xml"', '"policy": "operator.xml"', "no such policy: operator.xml"),
    ],
)
def test_what_is_wrong_is_named(copy: Path, file: str, old: str, new: str, named: str) -> None:
    path = copy / "infra/apim" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    found = apim_policies.findings(copy)
    assert any(named in line for line in found), found


@pytest.mark.parametrize(
    ("file", "first", "then"),
    [
        ("municipalities.xml", '<include-fragment fragment-id="helseid-token" />', "<rate-limit-by-key "),
        ("municipalities.xml", "<rate-limit-by-key ", "<quota-by-key "),
        ("vendors.xml", '<include-fragment fragment-id="helseid-token" />', "<quota-by-key "),
        ("global.xml", '<set-variable name="correlationId"', '<set-backend-service backend-id="api" />'),
    ],
)
def test_another_order_is_named(copy: Path, file: str, first: str, then: str) -> None:
    """Counting before the token is judged would let anybody use up another's share, and so on."""
    path = copy / "infra/apim" / file
    text = path.read_text(encoding="utf-8")
    a, b = _element(text, first), _element(text, then)
    path.write_text(text.replace(a, "\0", 1).replace(b, a, 1).replace("\0", b, 1), encoding="utf-8")
    assert any("comes before what must come first" in line for line in apim_policies.findings(copy))


def _element(text: str, start: str) -> str:
    begin = text.index(start)
    return text[begin : text.index("/>", begin) + 2]

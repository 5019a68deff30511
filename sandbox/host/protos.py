"""Plain stand-ins for the protobuf messages that Microsoft's Python worker library builds and reads.

`azure_functions_runtime` takes its message classes by injection (`request.properties["protos"]`), so neither protobuf
nor gRPC is needed. Field names follow FunctionRpc.proto (Azure/azure-functions-language-worker-protobuf); fields that
the library never touches are left out. As in protobuf, an absent message field reads as an empty message.
"""

import builtins
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar


@dataclass(slots=True)
class CollectionBytes:
    """Several byte strings."""

    bytes: list[builtins.bytes] = field(default_factory=list)


@dataclass(slots=True)
class CollectionString:
    """Several strings."""

    string: list[str] = field(default_factory=list)


@dataclass(slots=True)
class NullableString:
    """A string that may be absent."""

    value: str


@dataclass(slots=True)
class NullableBool:
    """A truth value that may be absent."""

    value: bool


@dataclass(slots=True)
class NullableDouble:
    """A number that may be absent."""

    value: float


@dataclass(slots=True)
class Timestamp:
    """Seconds since 1970, UTC."""

    seconds: int = 0
    nanos: int = 0


@dataclass(slots=True)
class NullableTimestamp:
    """A time that may be absent."""

    value: Timestamp


class SameSite:
    """Values of a cookie's SameSite attribute; the name of the zero value is `None`, as in the protocol."""

    Lax = 1
    Strict = 2
    ExplicitNone = 3


setattr(SameSite, "None", 0)


@dataclass(slots=True)
class RpcHttpCookie:
    """One Set-Cookie header of an answer."""

    SameSite: ClassVar[type[SameSite]] = SameSite

    name: str
    value: str
    domain: NullableString | None = None
    path: NullableString | None = None
    expires: NullableTimestamp | None = None
    secure: NullableBool | None = None
    http_only: NullableBool | None = None
    same_site: int = 0
    max_age: NullableDouble | None = None


@dataclass(slots=True)
class TypedData:
    """One value; at most one field is set."""

    string: str | None = None
    json: str | None = None
    bytes: builtins.bytes | None = None
    http: "RpcHttp | None" = None
    int: builtins.int | None = None
    double: float | None = None
    collection_bytes: CollectionBytes | None = None
    collection_string: CollectionString | None = None

    def which_one_of(self, _group: str) -> str | None:
        """The name of the field that is set."""
        if self.bytes is not None:
            return "bytes"
        if self.string is not None:
            return "string"
        if self.json is not None:
            return "json"
        if self.http is not None:
            return "http"
        for name in ("int", "double", "collection_bytes", "collection_string"):
            if getattr(self, name) is not None:
                return name
        return None

    WhichOneof = which_one_of


@dataclass(slots=True)
class RpcHttp:
    """An HTTP request on the way in, an answer on the way out."""

    method: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: TypedData = field(default_factory=TypedData)
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    status_code: str = ""
    enable_content_negotiation: bool = False
    cookies: list[RpcHttpCookie] | None = None


@dataclass(slots=True)
class ParameterBinding:
    """A named value of an invocation."""

    name: str
    data: TypedData | None = None

    def which_one_of(self, _group: str) -> str | None:
        """The name of the field that is set."""
        return None if self.data is None else "data"

    WhichOneof = which_one_of


@dataclass(slots=True)
class BindingInfo:
    """A binding as the worker sees it; directions and data types are the protocol's numbers."""

    in_: ClassVar[int] = 0
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2
    undefined: ClassVar[int] = 0
    string: ClassVar[int] = 1
    binary: ClassVar[int] = 2
    stream: ClassVar[int] = 3

    type: str = ""
    direction: int = 0
    data_type: int = 0


@dataclass(slots=True)
class RpcException:
    """What went wrong in the worker or in user code."""

    message: str = ""
    stack_trace: str = ""


@dataclass(slots=True)
class StatusResult:
    """How a request to the worker ended."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1
    Cancelled: ClassVar[int] = 2

    status: int = 0
    exception: RpcException | None = None


@dataclass(slots=True)
class WorkerMetadata:
    """Which worker this is."""

    runtime_name: str = ""
    runtime_version: str = ""
    worker_version: str = ""
    worker_bitness: str = ""
    custom_properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class WorkerInitResponse:
    """Answer to a worker's start."""

    capabilities: dict[str, str] = field(default_factory=dict)
    worker_metadata: WorkerMetadata | None = None
    result: StatusResult = field(default_factory=StatusResult)


@dataclass(slots=True)
class RpcRetryOptions:
    """A function's retry policy."""

    max_retry_count: int = 0
    retry_strategy: str = ""
    delay_interval: timedelta | None = None
    minimum_interval: timedelta | None = None
    maximum_interval: timedelta | None = None


@dataclass(slots=True)
class RpcFunctionMetadata:
    """One indexed function; `raw_bindings` holds each binding as JSON text."""

    name: str = ""
    function_id: str = ""
    managed_dependency_enabled: bool = False
    directory: str = ""
    script_file: str = ""
    entry_point: str = ""
    is_proxy: bool = False
    language: str = ""
    bindings: dict[str, BindingInfo] = field(default_factory=dict)
    raw_bindings: list[str] = field(default_factory=list)
    retry_options: RpcRetryOptions | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class FunctionMetadataResponse:
    """Everything that was indexed; None when the folder holds no function_app.py."""

    use_default_metadata_indexing: bool = False
    function_metadata_results: list[RpcFunctionMetadata] | None = None
    result: StatusResult = field(default_factory=StatusResult)


@dataclass(slots=True)
class FunctionLoadResponse:
    """Answer to the loading of one function."""

    function_id: str = ""
    result: StatusResult = field(default_factory=StatusResult)


@dataclass(slots=True)
class InvocationResponse:
    """How an invocation ended and what it gave."""

    invocation_id: str = ""
    return_value: TypedData | None = None
    result: StatusResult = field(default_factory=StatusResult)
    output_data: list[ParameterBinding] = field(default_factory=list)


# What the host sends: requests and the trace and retry contexts inside them.


@dataclass(slots=True)
class RpcTraceContext:
    """W3C trace context of an invocation."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class RetryContext:
    """Which attempt this is under a retry policy."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException | None = None


@dataclass(slots=True)
class WorkerInitRequest:
    """Start the worker on an app folder."""

    function_app_directory: str
    capabilities: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class FunctionsMetadataRequest:
    """Ask for what was indexed."""

    function_app_directory: str


@dataclass(slots=True)
class FunctionLoadRequest:
    """Load one function."""

    function_id: str
    metadata: RpcFunctionMetadata


@dataclass(slots=True)
class InvocationRequest:
    """Run one function once."""

    invocation_id: str
    function_id: str
    input_data: list[ParameterBinding]
    trigger_metadata: dict[str, TypedData]
    trace_context: RpcTraceContext
    retry_context: RetryContext


@dataclass(slots=True)
class StreamingMessage:
    """The envelope; one field is set."""

    worker_init_request: WorkerInitRequest | None = None
    functions_metadata_request: FunctionsMetadataRequest | None = None
    function_load_request: FunctionLoadRequest | None = None
    invocation_request: InvocationRequest | None = None


@dataclass(slots=True)
class WorkerRequest:
    """What the library's public functions take: the message, and the properties that carry this module."""

    request: StreamingMessage
    properties: dict[str, Any]

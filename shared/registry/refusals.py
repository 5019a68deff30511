"""What a caller is told that the register does not let on."""

from shared.errors import HubError, NotGranted


class NotActive(NotGranted):
    """This system's access to this municipality is not valid now.

    Ask the municipality from when and until when it granted access to this vkp-id.
    """

    code = "SEND_NOT_ACTIVE"
    vkp_code = "1.1"


class SystemBlocked(NotGranted):
    """This system is shut out of this hub.

    Ask the hub's operators.
    """

    code = "SEND_SYSTEM_BLOCKED"
    vkp_code = "1.1"


class ClientUnknown(NotGranted):
    """This HelseID client is not registered for this vkp-id.

    Ask the hub's operators to register the client id.
    """

    code = "SEND_CLIENT_UNKNOWN"
    vkp_code = "1.5"


class NotAllowed(NotGranted):
    """The municipality did not grant this system this resource, or not to use it like this.

    Ask the municipality which resources, and whether sending or reading, it granted to this vkp-id.
    """

    code = "SEND_NOT_ALLOWED"
    vkp_code = "1.2"


class ServiceNotAllowed(NotGranted):
    """The ServiceCodes of this call do not meet tjenstlig behov at this municipality.

    Send ServiceCodes that the municipality granted to this vkp-id and has in its partner profile.
    """

    code = "SEND_SERVICE_NOT_ALLOWED"
    vkp_code = "1.3"


class TrafficStopped(HubError):
    """The municipality has stopped this traffic for a while.

    Send the same call again after the time in Retry-After.
    """

    code = "REC_TRAFFIC_STOPPED"
    status = 503
    issue_type = "transient"
    vkp_code = "1.1"


class EntryUnknown(HubError):
    """There is no such entry in the register, or it is not yours to see.

    Check the address; GET the list above it.
    """

    code = "SEND_ENTRY_UNKNOWN"
    status = 404
    issue_type = "not-found"
    vkp_code = "2"


class RoleMissing(HubError):
    """Your role does not let you do this.

    Ask your municipality's user administrator.
    """

    code = "SEND_ROLE_MISSING"
    status = 403
    issue_type = "forbidden"
    vkp_code = "1.2"


class SecurityLevel(HubError):
    """This needs a login at security level 4.

    Log in with an electronic ID of the highest level.
    """

    code = "SEND_SECURITY_LEVEL"
    status = 403
    issue_type = "forbidden"
    vkp_code = "1.5"
    expression = "http.authorization"


class EntryInvalid(HubError):
    """The entry cannot be as it was sent.

    Mend each finding and send it again.
    """

    code = "SEND_ENTRY_INVALID"
    status = 422
    issue_type = "business-rule"
    vkp_code = "2"


class EntryNotJson(HubError):
    """The body is not what this address takes.

    Send one JSON object of at most 64 KiB with the members why and wanted, each name once.
    """

    code = "SEND_ENTRY_NOT_JSON"
    status = 400
    issue_type = "structure"
    vkp_code = "2.4"


class PageOutOfBounds(HubError):
    """The page that is asked for cannot be.

    Send limit as 1 to 100, after as the answer before gave it in next, and nothing else.
    """

    code = "SEND_PAGE"
    status = 400
    issue_type = "value"
    vkp_code = "2.3"


class ConditionMissing(HubError):
    """A change must say which version it changes.

    Send If-Match with the ETag of a GET, or If-None-Match: * for a new entry.
    """

    code = "SEND_CONDITION_MISSING"
    status = 428
    issue_type = "required"
    vkp_code = "2"
    expression = "http.if-match"


class EntryChanged(HubError):
    """The entry is not at the version that the change was meant for.

    GET it again, and change what is there now.
    """

    code = "SEND_ENTRY_CHANGED"
    status = 412
    issue_type = "conflict"
    vkp_code = "2"
    expression = "http.if-match"

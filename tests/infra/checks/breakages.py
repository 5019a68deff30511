"""Single things that could be broken in what the hub is in Azure, or in the code that must agree with it: as data."""

from dataclasses import dataclass

from tools.infra_checks.evaluating import Edit


@dataclass(frozen=True, slots=True)
class Breakage:
    """One thing broken, and what a check must say of it."""

    name: str
    edits: tuple[Edit, ...]
    named: str
    """What one of the findings must hold."""
    types: bool = False
    """Whether it is for the types' check to find."""

    @property
    def infra(self) -> bool:
        """Whether it changes what is evaluated."""
        return any(each.file.startswith("infra/") for each in self.edits)


def _one(name: str, file: str, old: str, new: str, named: str, *, types: bool = False) -> Breakage:
    return Breakage(name, (Edit(file, old, new),), named, types)


_TOPOLOGY = "infra/topology.json"
_COMPONENTS = "infra/components.json"
_MAIN = "infra/main.bicep"
_PROD = "infra/env/prod.bicepparam"
_BUS = "infra/modules/service-bus.bicep"
_COSMOS = "infra/modules/cosmos.bicep"
_VAULT = "infra/modules/key-vault.bicep"
_WITNESS = "infra/modules/witness-storage.bicep"
_HOST_STORAGE = "infra/modules/host-storage.bicep"
_APP = "infra/modules/function-app.bicep"
_NETWORK = "infra/modules/network.bicep"
_GATEWAY = "infra/modules/api-management.bicep"
_STANDING = "infra/modules/standing-settings.bicep"
_ALERTS = "infra/modules/alerts.bicep"
_MONITORING = "infra/modules/monitoring.bicep"

QUEUES = (
    _one("name of a queue", _TOPOLOGY, '"name": "deliveries-prompt"', '"name": "deliveries-urgent"',
         "queue deliveries-prompt: the code uses it"),
    _one("name of a queue in the code", "shared/messages/signals.py", 'EVENTS = "events"', 'EVENTS = "event"',
         "queue event: the code uses it"),
    _one("sessions off", _TOPOLOGY, '"name": "events", "requiresSession": true', '"name": "events", "requiresSession": false',
         "queue events: requiresSession"),
    _one("sessions off in the code", "functions/deliver.py", "is_sessions_enabled=True", "is_sessions_enabled=False",
         "queue deliveries: requiresSession is True, function deliver"),
    _one("sessions off in Bicep", _BUS, "requiresSession: each.requiresSession", "requiresSession: false",
         "prod: queue deliveries: requires_session is False in Azure"),
    _one("connection of a trigger", "functions/fan_out.py", 'connection="ServiceBus"', 'connection="Bus"',
         "function fan_out: its connection Bus"),
    _one("queue's time to live", _TOPOLOGY, '"defaultMessageTimeToLive": "P14D"', '"defaultMessageTimeToLive": "P3D"',
         "queue events: defaultMessageTimeToLive 3 days"),
    _one("queue's time to live in Bicep", _BUS, "defaultMessageTimeToLive: each.defaultMessageTimeToLive",
         "defaultMessageTimeToLive: 'P1D'", "queue events: default_time_to_live is 1 day"),
    _one("retry horizon beyond the queue's time", "shared/delivery/data/retry_schedule.json", '"untilSeconds": 273600',
         '"untilSeconds": 2736000', "is not longer than a message is tried"),
    _one("lock of a queue", _TOPOLOGY, '"lockDuration": "PT1M"', '"lockDuration": "PT10M"', "lockDuration 0:10:00"),
    _one("lock of a queue in Bicep", _BUS, "lockDuration: each.lockDuration", "lockDuration: 'PT30S'",
         "queue events: lock_duration is 0:00:30 in Azure"),
    _one("tries of a queue", _TOPOLOGY, '"maxDeliveryCount": 10', '"maxDeliveryCount": 1', "maxDeliveryCount 1"),
    _one("expired signals dropped", _TOPOLOGY, '"deadLetteringOnMessageExpiration": true',
         '"deadLetteringOnMessageExpiration": false', "deadLetteringOnMessageExpiration is off"),
    _one("duplicate detection", _TOPOLOGY, '"requiresDuplicateDetection": false', '"requiresDuplicateDetection": true',
         "queue events: duplicate detection"),
    _one("queues that go when idle", _BUS, "'P10675199DT2H48M5.4775807S'", "'P1D'", "autoDeleteOnIdle P1D"),
)  # fmt: skip

CONTAINERS = (
    _one("partition key", _TOPOLOGY, '"name": "deliveries", "partitionKey": "/lane"',
         '"name": "deliveries", "partitionKey": "/orgnr"', "container deliveries: partitionKey is /orgnr"),
    _one("partition key in Bicep", _COSMOS, "paths: [each.partitionKey]", "paths: ['/id']",
         "container events: partitionKey is ['/id'] in Azure"),
    _one("name of a container", _TOPOLOGY, '"name": "proofs"', '"name": "proof"', "container proofs: the code uses it"),
    _one("name of a container in the code", "shared/road/hub.py", '"refusals"', '"refused"',
         "container refused: the code uses it"),
    _one("name of a database", _TOPOLOGY, '"database": "knutepunkt-trail"', '"database": "knutepunkt-log"',
         "databases knutepunkt, knutepunkt-log"),
    _one("container's time to live in Bicep", _COSMOS, "{ defaultTtl: each.defaultTtl }", "{ defaultTtl: 86400 }",
         "container refusals: defaultTtl is 86400 in Azure"),
    _one("time to live of the audit log", _TOPOLOGY, '"name": "trail", "partitionKey": "/chain",',
         '"name": "trail", "partitionKey": "/chain", "defaultTtl": 31536000,', "item 42: prod"),
    _one("index that a sorting needs", _TOPOLOGY, '"/receivedAt/?", "/since/?", ', '"/receivedAt/?", ',
         "container events: no index /since: shared/watch/looking.py sorts by it"),
    _one("index that a search needs", _TOPOLOGY, '"/key/?", "/parked/?"', '"/key/?"',
         "container deliveries: no index /parked: shared/delivery/waking.py"),
    _one("index that nothing needs", _TOPOLOGY, '"indexedPaths": ["/series/?"', '"indexedPaths": ["/content/?", "/series/?"',
         "container checkpoints: index /content/?: nothing"),
    _one("indexes in Bicep", _COSMOS, "map(each.?indexedPaths ?? ['/*'], path => { path: path })", "[{ path: '/type/?' }]",
         "container deliveries: indexed are"),
    _one("search by something new", "shared/messages/deliveries.py", "c.routedAt >= @since", "c.handedOverAt >= @since",
         "container deliveries: no index /handedOverAt"),
    _one("unique key", _TOPOLOGY, '"uniqueKeys": ["/source"], ', "", "container trail: uniqueKeys are []"),
    _one("unique key in Bicep", _COSMOS, "{ paths: [path] }", "{ paths: ['/id'] }", "container trail: uniqueKeys are ['/id']"),
)  # fmt: skip

RIGHTS = (
    _one("a right to receive too few", _COMPONENTS, '"receives": ["events", "events-prompt", "deliveries", "deliveries-prompt"]',
         '"receives": ["events", "events-prompt", "deliveries"]',
         "component road: may not receive from deliveries-prompt"),
    _one("a right to receive too many", _COMPONENTS, '"receives": []', '"receives": ["deliveries"]',
         "component api: may receive from deliveries"),
    _one("audit log that can be changed", _COMPONENTS, '"trail": "append"', '"trail": "edit"',
         "items 41, 44: component api: may edit container trail"),
    _one("documents that can be deleted", _COMPONENTS, '"containers/items/replace", ',
         '"containers/items/delete", "containers/items/replace", ', "item 10: role edit (components.json)"),
    _one("no right to a container", _COMPONENTS, '"checkpoints": "append"', '"proofs": "append"',
         "container checkpoints: no component has a right"),
    _one("Data Owner", _BUS, "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39", "090c5cfd-751d-490a-894a-3ce6f1109419",
         "item 10: prod: api on deliveries: Azure Service Bus Data Owner"),
    _one("sender's role for receivers", _BUS, "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0", "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
         "component road may not receive from queue deliveries in Azure"),
    _one("role on the whole namespace", _BUS, "scope: queue[indexOf(queueNames, each.queue)]", "scope: namespace",
         "item 11: prod: api on sb-knutepunkt"),
    _one("role on a whole account", _COSMOS, "scope: '${account.id}/dbs/${database}/colls/${each.container}'",
         "scope: account.id", "item 11: prod: a right to documents is not on one container"),
    _one("Cosmos DB's built-in role", _COSMOS, "${guid(account.id, each.role)}", "00000000-0000-0000-0000-000000000002",
         "Cosmos DB Built-in Data Contributor"),
    _one("more in Bicep's role than declared", _COSMOS, "['Microsoft.DocumentDB/databaseAccounts/readMetadata']",
         "['Microsoft.DocumentDB/databaseAccounts/readMetadata', 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/*']",
         "role append: may Microsoft.DocumentDB/databaseAccounts/sqlDatabases/* in Azure"),
    _one("vault's administrator", _VAULT, "4633458b-17de-408a-b874-0445c86b69e6", "00482a5a-887f-4fb3-b363-3b7fe8e74483",
         "Key Vault Administrator"),
    _one("signer of checkpoints", _MAIN, "signer: 'upkeep'", "signer: 'road'", "item 10: prod: road on checkpoints"),
    _one("a right for a person by name", _VAULT, "principalType: 'ServicePrincipal'", "principalType: 'User'",
         "item 12: prod"),
    _one("witness that can overwrite", _WITNESS, "blobs/add/action'", "blobs/write'", "item 44: prod: roleDefinitions"),
    _one("another component's storage", _MAIN, "principalId: identities[i].outputs.principalId\n      zones: zones",
         "principalId: identities[0].outputs.principalId\n      zones: zones", "another component's account"),
    _one("one identity for two components", _MAIN, "identityId: identities[i].outputs.id",
         "identityId: identities[0].outputs.id", "item 6: prod"),
)  # fmt: skip

NETWORKS = (
    _one("TLS of Service Bus", _BUS, "minimumTlsVersion: '1.2'", "minimumTlsVersion: '1.0'",
         "item 18: prod: namespaces sb-knutepunkt-prod"),
    _one("TLS of Cosmos DB", _COSMOS, "minimalTlsVersion: 'Tls12'", "minimalTlsVersion: 'Tls'", "minimalTlsVersion is 'Tls'"),
    _one("TLS of storage", _HOST_STORAGE, "'TLS1_2'", "'TLS1_0'", "minimumTlsVersion is 'TLS1_0'"),
    _one("TLS of the apps", _APP, "minTlsVersion: '1.2'", "minTlsVersion: '1.1'", "minTlsVersion is '1.1'"),
    _one("TLS of the gateway", _GATEWAY, "Gateway.Security.Protocols.Tls10': 'False'",
         "Gateway.Security.Protocols.Tls10': 'True'", "item 20: prod: service"),
    _one("gateway without TLS to the app", _GATEWAY, "url: 'https://${backendHost}'", "url: 'http://${backendHost}'",
         "is without TLS"),
    _one("public network of Cosmos DB", _COSMOS, "publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'",
         "publicNetworkAccess: 'Enabled'", "item 14: prod: databaseAccounts cosmos-kp-hub"),
    _one("public network of Service Bus", _BUS, "publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'",
         "publicNetworkAccess: 'Enabled'", "item 14: prod: namespaces"),
    _one("public network of everything", _PROD, "param privateNetwork = true", "param privateNetwork = false",
         "item 14: prod: vaults"),
    _one("door of the vault", _VAULT, "defaultAction: publicNetwork ? 'Allow' : 'Deny'", "defaultAction: 'Allow'",
         "item 14: prod: vaults"),
    _one("door of the apps", _APP, "\n      ipSecurityRestrictionsDefaultAction: 'Deny'",
         "\n      ipSecurityRestrictionsDefaultAction: 'Allow'", "ipSecurityRestrictionsDefaultAction is not Deny"),
    _one("private endpoint", "infra/modules/private-access.bicep", "  { name: 'cosmos-trail', part: 'Sql', zone: 'cosmos' }\n",
         "", "item 15: prod: databaseAccounts cosmos-kp-trail"),
    _one("network open inwards", _NETWORK, "      deny('Inbound')\n", "", "does not refuse everything else both ways"),
    _one("network with a way out of its own", _NETWORK, "defaultOutboundAccess: false", "defaultOutboundAccess: true",
         "item 17: prod"),
    _one("subnet without rules", _NETWORK, "            networkSecurityGroup: { id: gatewayRules.id }\n", "",
         "item 16: prod: virtualNetworks"),
)  # fmt: skip

HARDENING = (
    _one("keys of Service Bus", _BUS, "disableLocalAuth: true", "disableLocalAuth: false", "item 1: prod"),
    _one("keys of Cosmos DB", _COSMOS, "disableLocalAuth: true", "disableLocalAuth: false", "item 3: prod"),
    _one("keys of storage", _WITNESS, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "item 4: prod"),
    _one("keys of telemetry", _MONITORING, "DisableLocalAuth: true", "DisableLocalAuth: false", "item 5: prod"),
    _one("callers' addresses in telemetry", _MONITORING, "DisableIpMasking: false", "DisableIpMasking: true", "item 43: prod"),
    _one("plain HTTP", _APP, "httpsOnly: true", "httpsOnly: false", "item 19: prod: sites func-kp-api"),
    _one("FTP", _APP, "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'", "item 19: prod"),
    _one("passwords of publishing", _APP, "properties: { allow: false }", "properties: { allow: true }", "item 19: prod"),
    _one("purge protection", _VAULT, "enablePurgeProtection: true", "enablePurgeProtection: false", "item 23: prod"),
    _one("key that can leave", _VAULT, "exportable: false", "exportable: true", "item 23: prod"),
    _one("a log that is off", _COSMOS, "{ category: 'ControlPlaneRequests', enabled: true }",
         "{ category: 'ControlPlaneRequests', enabled: false }", "item 39: prod: databaseAccounts"),
    _one("bodies in the gateway's log", _GATEWAY, "body: { bytes: 0 }", "body: { bytes: 8192 }", "item 43: prod"),
    _one("witness for a month", _PROD, "param witnessDays = 3653", "param witnessDays = 30", "item 44: prod"),
    _one("backup of a week", _PROD, "'Continuous30Days'", "'Continuous7Days'", "item 47: prod"),
    _one("one zone", _PROD, "param zones = true", "param zones = false", "item 48: prod"),
    _one("no locks", _PROD, "param locks = true", "param locks = false", "no lock against deletion"),
    _one("Defender's plan", _PROD, "  { name: 'CosmosDbs' }\n", "", "item 45: prod: pricings CosmosDbs"),
    _one("another country", _MAIN, "param location string = 'norwayeast'", "param location string = 'westeurope'",
         "item 54: prod"),
    _one("another country allowed", _MAIN, "['norwayeast', 'norwaywest']\n    benchmark", "['norwayeast', 'westeurope']\n    benchmark",
         "item 54: prod: policyAssignments"),
    _one("tag", _MAIN, "  owner: owner\n", "", "no tag owner"),
    _one("alerts that are off", _ALERTS, "enabled: true", "enabled: false", "item 46: prod: metricAlerts"),
    _one("secret parameter in the open", "infra/modules/action-groups.bicep", "@secure()\n", "",
         "item 9: infra/modules/action-groups.bicep: parameter dutyWebhook"),
    _one("an output with a secret", _MAIN, "output AZURE_LOCATION string = location",
         "output AZURE_LOCATION string = location\noutput webhookSecret string = dutyWebhook", "item 9: infra/main.bicep"),
)  # fmt: skip

SETTINGS = (
    _one("a setting left out", _MAIN, "  Trail__deployment: suffix\n", "", "setting Trail__deployment is read and not set"),
    _one("a setting misspelt", _MAIN, "HelseId__audience:", "HelseId__audiense:", "setting HelseId__audiense is set and nothing"),
    _one("a setting left over", _MAIN, "  Hub__publicUrl: publicUrl", "  Hub__publicUrl: publicUrl\n  Hub__old: 'x'",
         "setting Hub__old is set and nothing reads it"),
    _one("a setting renamed in the code", "shared/azure/settings.py", 'alias="Upkeep__grace"', 'alias="Upkeep__patience"',
         "setting Upkeep__patience is read and not set"),
    _one("a standing value", _STANDING, "Delivery__timeout: '30'", "Delivery__timeout: '300'", "setting Delivery__timeout: 300"),
    _one("a value that the app refuses", _STANDING, "Limits__perSecond: '50'", "Limits__perSecond: 'many'",
         "setting Limits__perSecond"),
    _one("when a timer runs", _STANDING, "WatchSchedule: '*/5", "WatchSchedule: '*/50", "setting WatchSchedule: */50"),
    _one("a timer's setting in the code", "functions/watch.py", "%NumbersSchedule%", "%CountSchedule%",
         "setting CountSchedule is read and not set"),
    _one("a secret in the open", _MAIN, "'@Microsoft.KeyVault(SecretUri=${secrets}/Pseudonym--key)'", "'bm90IGEgc2VjcmV0'",
         "item 8: prod: app api: setting Pseudonym__key"),
    _one("a connection string", _MAIN, "ServiceBus__fullyQualifiedNamespace: serviceBus.outputs.host",
         "ServiceBus: 'Endpoint=sb://x;SharedAccessKey=x'", "setting ServiceBus must not be set"),
    _one("real persons refused in production", _PROD, "param hubEnvironment = 'production'", "param hubEnvironment = 'test'",
         "item 53: prod: app api: Hub__environment is test"),
    _one("HelseID's test in production", _PROD, "https://helseid-sts.nhn.no", "https://helseid-sts.test.nhn.no",
         "HelseID's test environment is trusted"),
    _one("no DPoP", _PROD, "param helseIdDpop = 'optional'", "param helseIdDpop = 'off'", "HelseId__dpop is off"),
    _one("a setting that Flex Consumption refuses", _MAIN, "  Hub__publicUrl: publicUrl",
         "  Hub__publicUrl: publicUrl\n  FUNCTIONS_WORKER_RUNTIME: 'python'", "setting FUNCTIONS_WORKER_RUNTIME must not be set"),
    _one("version of Python", _APP, "version: '3.13'", "version: '3.11'", "the code needs Python 3.13"),
)  # fmt: skip

FUNCTIONS = (
    _one("a function in no component", _COMPONENTS, '"fan_out", "fan_out_prompt", "deliver", "deliver_prompt"],',
         '"fan_out", "fan_out_prompt", "deliver"],', "function deliver_prompt: components.json has none"),
    _one("a function in another component", _COMPONENTS, '"watch", "notices", "numbers"', '"watch", "notices", "numbers", "health"',
         "function health: two components run it"),
    _one("name of a function in the code", "functions/upkeep.py", 'function_name("waking")', 'function_name("awaking")',
         "function awaking: components.json has none"),
    _one("a function switched off in its own app", _MAIN, "filter(rights.components, other => other.name != each.name)",
         "rights.components", "is its own and switched off"),
    _one("locks not renewed long enough", "host.json", '"maxAutoLockRenewalDuration": "00:10:00"',
         '"maxAutoLockRenewalDuration": "00:04:00"', "lock × renewals must reach the delivery time-out"),
    _one("functions that are ended too early", "host.json", '"functionTimeout": "00:10:00"', '"functionTimeout": "00:04:00"',
         "host.json: functionTimeout"),
    _one("workers that stay too long", "shared/road/delivering.py", "timedelta(minutes=4)", "timedelta(minutes=14)",
         "maxAutoLockRenewalDuration 0:10:00 is shorter"),
    _one("receivers that have too long", "shared/azure/settings.py", '30.0, alias="Delivery__timeout"',
         '400.0, alias="Delivery__timeout"', "maxAutoLockRenewalDuration 0:10:00 is shorter"),
    _one("two workers in a lane", "host.json", '"maxConcurrentCallsPerSession": 1', '"maxConcurrentCallsPerSession": 4',
         "host.json: serviceBus.maxConcurrentCallsPerSession"),
    _one("host's half of a trace", "host.json", '  "telemetryMode": "OpenTelemetry",\n', "", "host.json: telemetryMode"),
    _one("prefix of every address", "host.json", '"routePrefix": ""', '"routePrefix": "api"', "host.json: http.routePrefix"),
    _one("an app that is not deployed", "azure.yaml", "  upkeep: *app\n", "", "azure.yaml: component upkeep"),
)  # fmt: skip

GATEWAY = (
    _one("a route at the gateway", "infra/apim/openapi.json", '"/health": {', '"/healthy": {', "route GET health: the gateway"),
    _one("a route in the code", "functions/public.py", '@door.route("health"', '@door.route("healthz"',
         "route GET healthz: the gateway's openapi.json has none"),
    _one("a method in the code", "functions/ingest.py", '{resource}", methods=["POST"]', '{resource}", methods=["PUT"]',
         "route PUT epj/r4/{orgnr}/{resource}"),
    _one("path of the API", _GATEWAY, "path: ''", "path: 'v1'", "the API's path is 'v1'"),
    _one("another app behind it", _MAIN, "'${appNames.api}.azurewebsites.net'", "'${appNames.road}.azurewebsites.net'",
         "is not the app `api`"),
    _one("operators' policy for vendors", _GATEWAY, "loadTextContent('../apim/vendors.xml')",
         "loadTextContent('../apim/operators.xml')", "product vendors has the policy operators.xml"),
    Breakage("order of a policy's steps", (
        Edit("infra/apim/municipalities.xml", '    <include-fragment fragment-id="helseid-token" />\n', ""),
        Edit("infra/apim/municipalities.xml", '+ context.Subscription.Id)\' />',
             '+ context.Subscription.Id)\' />\n    <include-fragment fragment-id="helseid-token" />'),
    ), "municipalities.xml: inbound: “token”"),
    _one("a limit left out", "infra/apim/vendors.xml", "<quota-by-key", "<quota", "vendors.xml"),
    _one("tokens not checked", "infra/apim/operators.xml", 'require-signed-tokens="true"', 'require-signed-tokens="false"',
         "operators.xml: validate-jwt takes tokens that are unsigned"),
    _one("a policy that is no XML", "infra/apim/global.xml", "<outbound>", "<outbond>", "global.xml: not well-formed"),
    _one("a named value", _MAIN, "'helseid-audience': helseIdAudience", "'helseid-audiens': helseIdAudience",
         "no such named value"),
)  # fmt: skip

WATCHING = (
    _one("a runbook", "infra/alerts.json", '"runbook": "slow"', '"runbook": "slowly"', "no such runbook: slowly"),
    _one("a query", "infra/alerts.json", '"query": "slow.kql"', '"query": "slower.kql"', "slower.kql"),
    _one("a query of another alert", _ALERTS, "'slow.kql': loadTextContent('../kql/slow.kql')",
         "'slow.kql': loadTextContent('../kql/exceptions.kql')", "infra/kql/slow.kql: nothing deploys it"),
    _one("code of a log line", "infra/kql/not-available.kql", '"HUB-1004"', '"HUB-1999"', "no log line has the code HUB-1999"),
    _one("name of a metric", "infra/kql/slow.kql", "knutepunkt.end_to_end", "knutepunkt.end_to_ende", "no such metric"),
    _one("a workbook that is none", "infra/workbooks/trace.json", '"version": "Notebook/1.0"', '"version": "Notebook"',
         "infra/workbooks/trace.json: not a workbook"),
    _one("a workbook that is no JSON", "infra/workbooks/security.json", '"items": [', '"items": [,', "security.json: not JSON"),
)  # fmt: skip

TYPES = (
    _one("a property misspelt", _BUS, "requiresSession: each", "requireSession: each", "requireSession", types=True),
    _one("a version of an API that does not exist", _COSMOS, "databaseAccounts@2025-04-15'", "databaseAccounts@2025-04-16'",
         "2025-04-16", types=True),
    _one("a parameter of a module misspelt", _MAIN, "      dailyCapGb: logCapGb", "      dailyCap: logCapGb", "dailyCap", types=True),
    _one("a parameter of an environment misspelt", _PROD, "param witnessDays", "param witnesDays", "witnesDays", types=True),
    _one("a name that is not there", _VAULT, "principals[signer]", "principal[signer]", "principal", types=True),
    _one("a value that does not fit", _APP, "httpsOnly: true", "httpsOnly: 'true'", "httpsOnly", types=True),
    _one("an output that is not there", _MAIN, "vault.outputs.name", "vault.outputs.title", "title", types=True),
)  # fmt: skip

ALL = (*QUEUES, *CONTAINERS, *RIGHTS, *NETWORKS, *HARDENING, *SETTINGS, *FUNCTIONS, *GATEWAY, *WATCHING, *TYPES)

COLUMNS = {
    "slow.kql": ("Sum", "Summe"),
    "vault-denied.kql": ("CallerIpAddress", "CallerAddress"),
    "exceptions.kql": ("AppExceptions", "AppException"),
}
"""Queries, a column or table of each, and how it is misspelt."""

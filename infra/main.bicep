// The whole hub in Azure, from nothing. Subscription scope: one command makes the resource group and all in it, and
// `azd` and what-if see everything at once. Deploying again changes nothing that has not changed here.
// What runs is stated in topology.json (queues, containers) and components.json (who may do what); this puts it there.
targetScope = 'subscription'

import { standing } from 'modules/standing-settings.bicep'

@description('Which environment; part of every name.')
@allowed(['dev', 'test', 'prod'])
param environmentName string

@description('Region of everything. Norway East has zones; Norway West, its reserve, has none.')
@allowed(['norwayeast', 'norwaywest'])
param location string = 'norwayeast'

@description('Who owns the environment; a tag on everything.')
param owner string

@description('Private endpoints for all that holds data, public network off. Off in dev alone: there is no data there.')
param privateNetwork bool = true

@description('Instances and stores spread over three zones. What it costs: docs/infrastructure.md.')
param zones bool = false

@description('Locks that must be taken off before anything that holds data can be deleted.')
param locks bool = false

@description('Address space of the virtual network, /20 or larger.')
param addressPrefix string = '10.60.0.0/20'

@description('Address range of the network that packages and secrets are put in from: peered with the hub\'s; empty: none.')
param deployFrom string = ''

@description('Ids of private DNS zones of the landing zone, by kind (serviceBus, cosmos, vault, blob, sites); empty: made here.')
param privateDnsZoneIds object = {}

@description('Service Bus: Premium where private endpoints are wanted.')
@allowed(['Standard', 'Premium'])
param serviceBusTier string = 'Premium'

@description('Messaging units of Premium.')
param serviceBusCapacity int = 1

@description('Cosmos DB by the request; else autoscale.')
param cosmosServerless bool = false

@description('Most request units a second of each database.')
param cosmosMaxThroughput { hub: int, trail: int, checkpoints: int } = { hub: 4000, trail: 4000, checkpoints: 1000 }

@allowed(['Continuous7Days', 'Continuous30Days'])
param cosmosBackup string = 'Continuous30Days'

@allowed(['BasicV2', 'StandardV2'])
param gatewaySku string = 'StandardV2'
param gatewayUnits int = 1

// Its certificate must be in Key Vault as `gateway-certificate` before, so the first deployment goes without.
@description('Name under which callers know the API, without `https://`; empty: the gateway\'s own.')
param publicHost string = ''
param publisherName string = 'Knutepunkt'
param publisherEmail string

@description('Memory of an instance in MB.')
param memoryMb int = 512

@description('Most instances of each component: api, road, upkeep.')
param maximumInstances { api: int, road: int, upkeep: int } = { api: 40, road: 40, upkeep: 40 }

@description('Instances that are never let go, of each group named in components.json. Two at least where there are zones.')
@minValue(0)
param alwaysReadyInstances int = 0

param helseIdIssuer string
param helseIdAudience string
param helseIdTestEnvironment bool = false

@description('How strict DPoP is: off, optional, required.')
@allowed(['off', 'optional', 'required'])
param helseIdDpop string = 'optional'

@description('Tenant of the hub\'s own people; empty: they log in by HelseID alone.')
param entraTenant string = ''

@description('Application (client) id of the API in that tenant.')
param entraAudience string = ''

@description('`production` refuses synthetic persons, `test` refuses real ones.')
@allowed(['production', 'test'])
param hubEnvironment string

@description('Names of receivers\' secrets as in the register, `_` for each hyphen; values are in Key Vault as `Secret--NAME`.')
param receiverSecrets string[] = []

@description('Settings that differ from what the code takes by itself: name to value. Never secrets.')
param tuning object = {}

@description('Where the hub posts its own notices; empty: Azure Monitor tells alone.')
param alertsWebhook string = ''

@description('Whether Key Vault holds `Alerts--smtp`, the mail server of notices.')
param alertsByMail bool = false
param alertsTo string[] = []
param alertsFrom string = 'knutepunkt@knutepunkt.invalid'

@description('Mail addresses of the duty (severity 1) and of the team (2 and 3).')
param duty string[]
param team string[]

@description('Groups of Microsoft Entra ID by object id: who reads logs, who purges the audit log, who sets secrets; empty: nobody.')
param groups { operators: string, trailKeepers: string, secretKeepers: string } = {
  operators: ''
  trailKeepers: ''
  secretKeepers: ''
}

@description('The duty\'s paging service.')
@secure()
param dutyWebhook string = ''

@description('Where runbooks are read, without a slash at the end.')
param runbooks string

@description('Days that logs can be searched.')
param logDays int = 90

@description('Gigabytes of logs a day, at most.')
param logCapGb int = 5

@description('Part of traces that are kept; errors are kept all.')
@minValue(1)
@maxValue(100)
param tracesPercent int = 20

@description('Days that copies of checkpoints cannot be changed.')
param witnessDays int = 3653

@description('Set once people have locked the policy of those copies: a locked policy cannot be written again.')
param witnessPolicyLocked bool = false

@description('Amount a month that people are told of.')
param budgetAmount int

@description('First day of the month the budget begins with; fixed, so that deploying again changes nothing.')
param budgetStart string = '2027-01-01'

@description('Assign the Microsoft cloud security benchmark here; a landing zone usually does it higher up.')
param benchmark bool = false

@description('Defender plans of the whole subscription, where the environment has one of its own.')
param defenderPlans { name: string, subPlan: string? }[] = []

var topology = loadJsonContent('topology.json')
var rights = loadJsonContent('components.json')
var components = map(rights.components, each => each.name)

var token = take(uniqueString(subscription().id, environmentName, location), 6)
var suffix = '${environmentName}-${token}'
var tags = {
  'azd-env-name': environmentName
  application: 'knutepunkt'
  environment: environmentName
  owner: owner
  dataClass: hubEnvironment == 'production' ? 'health-data' : 'synthetic-data'
}
var appNames = toObject(components, each => each, each => 'func-kp-${each}-${suffix}')
var gatewayHost = 'apim-knutepunkt-${suffix}.azure-api.net'
var publicUrl = 'https://${empty(publicHost) ? gatewayHost : publicHost}'
resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-knutepunkt-${environmentName}'
  location: location
  tags: tags
}

module policy 'modules/policy.bicep' = {
  name: 'policy'
  scope: group
  params: {
    location: location
    // Norway alone, the reserve included.
    allowedLocations: ['norwayeast', 'norwaywest']
    benchmark: benchmark
  }
}

module defender 'modules/defender.bicep' = if (!empty(defenderPlans)) {
  name: 'defender'
  params: { plans: defenderPlans }
}

module identities 'modules/identity.bicep' = [
  for each in rights.components: {
    name: 'identity-${each.name}'
    scope: group
    params: { name: 'id-kp-${each.name}-${suffix}', location: location, tags: tags }
  }
]

module gatewayIdentity 'modules/identity.bicep' = {
  name: 'identity-gateway'
  scope: group
  params: { name: 'id-kp-gateway-${suffix}', location: location, tags: tags }
}

// In the order of components.json; a map over module outputs could not be laid out before deployment.
var principals = {
  api: identities[0].outputs.principalId
  road: identities[1].outputs.principalId
  upkeep: identities[2].outputs.principalId
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    retentionDays: logDays
    dailyCapGb: logCapGb
    principals: union(principals, { gateway: gatewayIdentity.outputs.principalId })
    components: concat(components, ['gateway'])
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    addressPrefix: addressPrefix
    deployFrom: deployFrom
    components: components
    workspaceId: monitoring.outputs.workspaceId
    zones: zones
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  name: 'service-bus'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    tier: serviceBusTier
    capacity: serviceBusCapacity
    publicNetwork: !privateNetwork
    locked: locks
    principals: principals
    components: rights.components
  }
}

// Three accounts: the hub's own, the audit log's and its checkpoints'. They can have other administrators each.
var stores = [
  { name: 'hub', database: topology.cosmos.database, containers: topology.cosmos.containers, most: cosmosMaxThroughput.hub }
  { name: 'trail', ...topology.cosmos.apart[0], most: cosmosMaxThroughput.trail }
  { name: 'checkpoints', ...topology.cosmos.apart[1], most: cosmosMaxThroughput.checkpoints }
]

module cosmos 'modules/cosmos.bicep' = [
  for each in stores: {
    name: 'cosmos-${each.name}'
    scope: group
    params: {
      name: 'cosmos-kp-${each.name}-${suffix}'
      location: location
      tags: tags
      workspaceId: monitoring.outputs.workspaceId
      database: each.database
      containers: each.containers
      serverless: cosmosServerless
      maxThroughput: each.most
      zones: zones
      publicNetwork: !privateNetwork
      backup: cosmosBackup
      locked: locks
      // Purging the audit log is people's: no component may delete there.
      principals: union(principals, { trailKeepers: groups.trailKeepers })
      components: concat(rights.components, empty(groups.trailKeepers) ? [] : rights.people)
      roles: rights.cosmosRoles
    }
  }
]

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    publicNetwork: !privateNetwork
    locked: locks
    principals: principals
    components: components
    signer: 'upkeep'
    gatewayPrincipalId: empty(publicHost) ? '' : gatewayIdentity.outputs.principalId
    gatewayReads: !empty(publicHost)
  }
}

module people 'modules/people.bicep' = {
  name: 'people'
  scope: group
  params: {
    groups: { operators: groups.operators, secretKeepers: groups.secretKeepers }
    vaultName: vault.outputs.name
  }
}

module hostStorage 'modules/host-storage.bicep' = [
  for (each, i) in rights.components: {
    name: 'host-storage-${each.name}'
    scope: group
    params: {
      name: 'stkp${environmentName}${each.name}${token}'
      location: location
      tags: tags
      workspaceId: monitoring.outputs.workspaceId
      principalId: identities[i].outputs.principalId
      zones: zones
      publicNetwork: !privateNetwork
    }
  }
]

module witness 'modules/witness-storage.bicep' = {
  name: 'witness-storage'
  scope: group
  params: {
    name: 'stkp${environmentName}witness${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    principalId: principals.upkeep
    zones: zones
    publicNetwork: !privateNetwork
    locked: locks
    keepDays: witnessDays
    policyLocked: witnessPolicyLocked
    suffix: suffix
  }
}

// A secret's value never passes through here: the app's settings name it, the platform fetches it by the app's identity.
var secrets = '${vault.outputs.uri}secrets'

// All that the code reads (docs/settings.md) and every component needs; `tuning` may set them otherwise. Never set are
// connection strings and `Checkpoints__key` (everything is reached by identity, the vault signs), and the collector
// (`OTEL_EXPORTER_OTLP_ENDPOINT`), since telemetry goes to Application Insights.
var settings = {
  ...standing
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
  // The app sends its telemetry itself (shared/azure/telemetry.py); so the host must not send its log lines again.
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  Telemetry__sampling: string(tracesPercent)
  ServiceBus__fullyQualifiedNamespace: serviceBus.outputs.host
  Cosmos__accountEndpoint: cosmos[0].outputs.endpoint
  Cosmos__database: topology.cosmos.database
  Trail__accountEndpoint: cosmos[1].outputs.endpoint
  Trail__database: topology.cosmos.apart[0].database
  Trail__deployment: suffix
  HelseId__issuer: helseIdIssuer
  HelseId__audience: helseIdAudience
  HelseId__testEnvironment: toLower(string(helseIdTestEnvironment))
  HelseId__dpop: helseIdDpop
  Entra__tenant: entraTenant
  Entra__audience: entraAudience
  Pseudonym__key: '@Microsoft.KeyVault(SecretUri=${secrets}/Pseudonym--key)'
  Hub__environment: hubEnvironment
  Hub__publicUrl: publicUrl
}

// What one component alone is given.
var ownSettings = {
  api: {}
  // Receivers' secrets: only what calls receivers can read them.
  road: toObject(
    receiverSecrets,
    each => 'Secret__${each}',
    each => '@Microsoft.KeyVault(SecretUri=${secrets}/Secret--${replace(each, '_', '-')})'
  )
  // Checkpoints are signed, kept apart and copied by the timers; notices are sent by them.
  upkeep: {
    Checkpoints__accountEndpoint: cosmos[2].outputs.endpoint
    Checkpoints__database: topology.cosmos.apart[1].database
    Checkpoints__keyVaultKey: vault.outputs.checkpointKeyId
    Checkpoints__publicKeys: ''
    Checkpoints__blobContainer: witness.outputs.containerUrl
    Checkpoints__silence: '1800'
    Alerts__webhook: alertsWebhook
    Alerts__webhookSecret: empty(alertsWebhook) ? '' : '@Microsoft.KeyVault(SecretUri=${secrets}/Alerts--webhookSecret)'
    Alerts__smtp: alertsByMail ? '@Microsoft.KeyVault(SecretUri=${secrets}/Alerts--smtp)' : ''
    Alerts__to: join(alertsTo, ' ')
    Alerts__from: alertsFrom
    Alerts__alarmAfter: ''
    Alerts__wellAfter: ''
  }
}

module gateway 'modules/api-management.bicep' = {
  name: 'api-management'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    insightsConnectionString: monitoring.outputs.connectionString
    sku: gatewaySku
    units: gatewayUnits
    publisherName: publisherName
    publisherEmail: publisherEmail
    identityId: gatewayIdentity.outputs.id
    identityClientId: gatewayIdentity.outputs.clientId
    subnetId: privateNetwork ? network!.outputs.gatewaySubnetId : ''
    publicHost: publicHost
    certificateId: '${secrets}/gateway-certificate'
    backendHost: '${appNames.api}.azurewebsites.net'
    products: loadJsonContent('apim/products.json')
    tracesPercent: tracesPercent
    values: {
      'helseid-issuer': helseIdIssuer
      'helseid-audience': helseIdAudience
      'helseid-openid-config': '${helseIdIssuer}/.well-known/openid-configuration'
      'entra-tenant': entraTenant
      'entra-audience': entraAudience
      environment: environmentName
    }
  }
}

module apps 'modules/function-app.bicep' = [
  for (each, i) in rights.components: {
    name: 'function-app-${each.name}'
    scope: group
    params: {
      name: appNames[each.name]
      location: location
      tags: tags
      component: each.name
      identityId: identities[i].outputs.id
      identityClientId: identities[i].outputs.clientId
      otherFunctions: flatten(map(filter(rights.components, other => other.name != each.name), other => other.functions))
      settings: union(settings, ownSettings[each.name], tuning)
      storageBlobEndpoint: hostStorage[i].outputs.blobEndpoint
      packageContainer: hostStorage[i].outputs.packageContainer
      subnetId: privateNetwork ? network!.outputs.componentSubnetIds[each.name] : ''
      publicNetwork: !privateNetwork
      // Only the gateway calls the API; nobody calls the others.
      callers: privateNetwork || each.name != 'api' ? [] : map(gateway.outputs.publicIps, ip => '${ip}/32')
      memoryMb: memoryMb
      maximumInstances: maximumInstances[each.name]
      alwaysReady: alwaysReadyInstances == 0 ? [] : map(each.alwaysReady, name => { name: name, instanceCount: alwaysReadyInstances })
      httpConcurrency: 16
      zones: zones
    }
  }
]

module privateAccess 'modules/private-access.bicep' = if (privateNetwork) {
  name: 'private-access'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    dnsZoneIds: privateDnsZoneIds
    targets: {
      'service-bus': serviceBus.outputs.id
      'cosmos-hub': cosmos[0].outputs.id
      'cosmos-trail': cosmos[1].outputs.id
      'cosmos-checkpoints': cosmos[2].outputs.id
      vault: vault.outputs.id
      witness: witness.outputs.id
      'host-api': hostStorage[0].outputs.id
      'host-road': hostStorage[1].outputs.id
      'host-upkeep': hostStorage[2].outputs.id
      'app-api': apps[0].outputs.id
      'app-road': apps[1].outputs.id
      'app-upkeep': apps[2].outputs.id
    }
  }
}

module watching 'modules/watching.bicep' = {
  name: 'watching'
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    environment: environmentName
    tier: serviceBusTier
    url: publicUrl
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    duty: duty
    team: team
    dutyWebhook: dutyWebhook
    runbooks: runbooks
    // What the hub posts or mails itself is not told a second time.
    hubTells: !empty(alertsWebhook) || alertsByMail
    budgetAmount: budgetAmount
    budgetStart: budgetStart
    resources: {
      serviceBus: serviceBus.outputs.id
      cosmos: cosmos[0].outputs.id
      trail: cosmos[1].outputs.id
      checkpoints: cosmos[2].outputs.id
      apim: gateway.outputs.id
      vault: vault.outputs.id
      storage: witness.outputs.id
    }
  }
}

// What azd and the scripts beside it need. No secrets.
output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output KNUTEPUNKT_URL string = publicUrl
output KNUTEPUNKT_APP_API string = appNames.api
output KNUTEPUNKT_APP_ROAD string = appNames.road
output KNUTEPUNKT_APP_UPKEEP string = appNames.upkeep
output KNUTEPUNKT_VAULT string = vault.outputs.name
output KNUTEPUNKT_GATEWAY string = gateway.outputs.name
output KNUTEPUNKT_WORKSPACE string = monitoring.outputs.workspaceId
output KNUTEPUNKT_OUTBOUND_ADDRESS string = privateNetwork ? network!.outputs.outboundAddress : ''

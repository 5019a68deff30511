// The gateway: the only part of the hub that the internet reaches. It checks coarsely and limits; what it cannot check
// (PS256, DPoP) the app does.
param suffix string
param location string
param tags object
param workspaceId string
param insightsId string

@secure()
param insightsConnectionString string

@description('BasicV2 has no way into a virtual network; StandardV2 has one, no zones; zones need PremiumV2.')
@allowed(['BasicV2', 'StandardV2'])
param sku string
@minValue(1)
@maxValue(10)
param units int
param publisherName string
param publisherEmail string
param identityId string
param identityClientId string

@description('Subnet for calls out; empty: none.')
param subnetId string

@description('Name that callers know; empty: the service\'s own.')
param publicHost string

@description('Its certificate in Key Vault, without a version, so that a renewed one is taken.')
param certificateId string

@description('Host name of the app behind it.')
param backendHost string

@description('What policies name with {{…}}.')
param values object

@description('Products, as in ../apim/products.json.')
param products object[]

@description('Part of traces kept, in percent; errors are kept all.')
param tracesPercent int

var productPolicies = {
  'vendors.xml': loadTextContent('../apim/vendors.xml')
  'municipalities.xml': loadTextContent('../apim/municipalities.xml')
  'operators.xml': loadTextContent('../apim/operators.xml')
}

resource gateway 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: 'apim-knutepunkt-${suffix}'
  location: location
  tags: tags
  sku: { name: sku, capacity: units }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    publisherName: publisherName
    publisherEmail: publisherEmail
    virtualNetworkType: empty(subnetId) ? 'None' : 'External'
    ...(empty(subnetId) ? {} : { virtualNetworkConfiguration: { subnetResourceId: subnetId } })
    publicNetworkAccess: 'Enabled'
    ...(empty(publicHost)
      ? {}
      : {
          hostnameConfigurations: [
            {
              type: 'Proxy'
              hostName: publicHost
              certificateSource: 'KeyVault'
              keyVaultId: certificateId
              identityClientId: identityClientId
              defaultSslBinding: true
              negotiateClientCertificate: false
            }
          ]
        })
    // Subscriptions are given by people; nobody signs up.
    developerPortalStatus: 'Disabled'
    legacyPortalStatus: 'Disabled'
    customProperties: {
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls10': 'False'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Protocols.Tls11': 'False'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls10': 'False'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Backend.Protocols.Tls11': 'False'
      'Microsoft.WindowsAzure.ApiManagement.Gateway.Protocols.Server.Http2': 'True'
    }
  }
}

resource value 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = [
  for each in items(union(values, { 'backend-url': 'https://${backendHost}', 'gateway-client-id': identityClientId })): {
    parent: gateway
    name: each.key
    properties: {
      displayName: each.key
      // An empty value is refused.
      value: empty(each.value) ? 'none' : each.value
      secret: false
    }
  }
]

resource backend 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'api'
  properties: {
    protocol: 'http'
    url: 'https://${backendHost}'
    title: 'The hub\'s own app'
    tls: { validateCertificateChain: true, validateCertificateName: true }
  }
}

// Parts that several policies share. `refusal` must be there before what includes it.
resource refusal 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: gateway
  name: 'refusal'
  properties: {
    description: 'A refusal in the hub\'s own form'
    format: 'xml'
    value: loadTextContent('../apim/fragments/refusal.xml')
  }
}

resource token 'Microsoft.ApiManagement/service/policyFragments@2024-05-01' = {
  parent: gateway
  name: 'helseid-token'
  properties: {
    description: 'HelseID\'s access token, judged coarsely'
    format: 'xml'
    value: loadTextContent('../apim/fragments/helseid-token.xml')
  }
  dependsOn: [value, refusal]
}

resource policy 'Microsoft.ApiManagement/service/policies@2024-05-01' = {
  parent: gateway
  name: 'policy'
  properties: { format: 'xml', value: loadTextContent('../apim/global.xml') }
  dependsOn: [value, backend, refusal]
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: gateway
  name: 'knutepunkt'
  properties: {
    displayName: 'Knutepunkt'
    // Paths are the hub's own: DPoP proofs and Location headers name the address that callers use.
    path: ''
    protocols: ['https']
    format: 'openapi+json'
    value: loadTextContent('../apim/openapi.json')
    serviceUrl: 'https://${backendHost}'
    subscriptionRequired: true
    subscriptionKeyParameterNames: { header: 'Ocp-Apim-Subscription-Key', query: 'subscription-key' }
    type: 'http'
    isCurrent: true
  }
}

resource product 'Microsoft.ApiManagement/service/products@2024-05-01' = [
  for each in products: {
    parent: gateway
    name: each.name
    properties: union(
      {
        displayName: each.displayName
        description: each.description
        subscriptionRequired: each.subscriptionRequired
        state: 'published'
      },
      // Only where there are subscriptions can they be approved and counted.
      each.subscriptionRequired
        ? { approvalRequired: each.approvalRequired, subscriptionsLimit: each.?subscriptionsLimit ?? 1 }
        : {}
    )
  }
]

resource productPolicy 'Microsoft.ApiManagement/service/products/policies@2024-05-01' = [
  for (each, i) in products: {
    parent: product[i]
    name: 'policy'
    properties: { format: 'xml', value: productPolicies[each.policy] }
    dependsOn: [value, refusal, token]
  }
]

resource productApi 'Microsoft.ApiManagement/service/products/apiLinks@2024-05-01' = [
  for (each, i) in products: {
    parent: product[i]
    name: 'knutepunkt'
    properties: { apiId: api.id }
  }
]

resource logger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: gateway
  name: 'insights'
  properties: {
    loggerType: 'applicationInsights'
    resourceId: insightsId
    credentials: { connectionString: insightsConnectionString, identityClientId: identityClientId }
  }
}

// The whole gateway's and the API's: the latter would otherwise have defaults of its own.
var telemetry = {
  loggerId: logger.id
  alwaysLog: 'allErrors'
  sampling: { samplingType: 'fixed', percentage: tracesPercent }
  httpCorrelationProtocol: 'W3C'
  logClientIp: false
  verbosity: 'error'
  metrics: true
  // No bodies (health data) and no headers (tokens) but the exchange's id.
  frontend: { request: { headers: ['Correlation-Id'], body: { bytes: 0 } }, response: { headers: [], body: { bytes: 0 } } }
  backend: { request: { headers: [], body: { bytes: 0 } }, response: { headers: [], body: { bytes: 0 } } }
}

resource serviceTelemetry 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: gateway
  name: 'applicationinsights'
  properties: telemetry
}

resource apiTelemetry 'Microsoft.ApiManagement/service/apis/diagnostics@2024-05-01' = {
  parent: api
  name: 'applicationinsights'
  properties: telemetry
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: gateway
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ category: 'GatewayLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = gateway.id
output name string = gateway.name
output publicIps string[] = gateway.properties.publicIPAddresses

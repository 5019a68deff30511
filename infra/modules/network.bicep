// One virtual network: a subnet for each component, one for private endpoints, one for the gateway's way out.
param suffix string
param location string
param tags object

@description('Address space; /20 or larger. Subnets are /24, so that Flex Consumption can scale out.')
param addressPrefix string

@description('Address range of a peered network from which packages and secrets come; empty: none.')
param deployFrom string

@description('Components that get a subnet each.')
param components string[]
param workspaceId string

@description('Whether the public address and the NAT gateway spread over zones.')
param zones bool

var endpoints = cidrSubnet(addressPrefix, 24, 0)
var gateway = cidrSubnet(addressPrefix, 24, 1)
var offset = 2

func allow(name string, priority int, direction string, from string, to string, ports string[]) object => {
  name: name
  properties: {
    priority: priority
    direction: direction
    access: 'Allow'
    protocol: 'Tcp'
    sourceAddressPrefix: from
    sourcePortRange: '*'
    destinationAddressPrefix: to
    destinationPortRanges: ports
  }
}

func deny(direction string) object => {
  name: 'deny-all-${toLower(direction)}'
  properties: {
    priority: 4096
    direction: direction
    access: 'Deny'
    protocol: '*'
    sourceAddressPrefix: '*'
    sourcePortRange: '*'
    destinationAddressPrefix: '*'
    destinationPortRange: '*'
  }
}

// 443: everything; 5671 and 5672: AMQP, which the Functions host speaks with Service Bus.
var toEndpoints = ['443', '5671', '5672']

resource endpointsRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-endpoints-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: concat(
      [allow('from-the-hub', 100, 'Inbound', addressPrefix, endpoints, toEndpoints)],
      empty(deployFrom) ? [] : [allow('from-deployments', 110, 'Inbound', deployFrom, endpoints, ['443'])],
      [deny('Inbound'), deny('Outbound')]
    )
  }
}

resource gatewayRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-gateway-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      allow('to-endpoints', 100, 'Outbound', gateway, endpoints, ['443'])
      allow('to-storage', 110, 'Outbound', gateway, 'Storage', ['443'])
      allow('to-vault', 120, 'Outbound', gateway, 'AzureKeyVault', ['443'])
      allow('to-monitor', 130, 'Outbound', gateway, 'AzureMonitor', ['443'])
      // HelseID's and Entra ID's public keys.
      allow('to-issuers', 140, 'Outbound', gateway, 'Internet', ['443'])
      deny('Inbound')
      deny('Outbound')
    ]
  }
}

resource appRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = [
  for (component, i) in components: {
    name: 'nsg-${component}-${suffix}'
    location: location
    tags: tags
    properties: {
      securityRules: [
        allow('to-endpoints', 100, 'Outbound', cidrSubnet(addressPrefix, 24, offset + i), endpoints, toEndpoints)
        allow('to-monitor', 110, 'Outbound', cidrSubnet(addressPrefix, 24, offset + i), 'AzureMonitor', ['443'])
        allow('to-entra', 120, 'Outbound', cidrSubnet(addressPrefix, 24, offset + i), 'AzureActiveDirectory', ['443'])
        // HelseID, receivers and webhooks (https), and the mail server of alerts.
        allow('to-partners', 130, 'Outbound', cidrSubnet(addressPrefix, 24, offset + i), 'Internet', component == 'upkeep'
          ? ['443', '465', '587']
          : ['443'])
        deny('Inbound')
        deny('Outbound')
      ]
    }
  }
]

resource address 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: 'pip-out-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  zones: zones ? ['1', '2', '3'] : []
  properties: {
    publicIPAllocationMethod: 'Static'
    // Receivers open their firewalls for it: it must outlive what uses it.
    deleteOption: 'Detach'
  }
}

// One address by which the hub is known at receivers. A NAT gateway of this kind stands in one zone: losing that zone
// stops calls out until it is moved (the queue keeps what waits).
resource wayOut 'Microsoft.Network/natGateways@2024-07-01' = {
  name: 'ng-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 10
    publicIpAddresses: [{ id: address.id }]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-knutepunkt-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: concat(
      [
        {
          name: 'endpoints'
          properties: {
            addressPrefix: endpoints
            defaultOutboundAccess: false
            // Without it, rules of the security group do not apply to private endpoints.
            privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
            networkSecurityGroup: { id: endpointsRules.id }
          }
        }
        {
          name: 'gateway'
          properties: {
            addressPrefix: gateway
            defaultOutboundAccess: false
            networkSecurityGroup: { id: gatewayRules.id }
            natGateway: { id: wayOut.id }
            delegations: [{ name: 'gateway', properties: { serviceName: 'Microsoft.Web/serverFarms' } }]
          }
        }
      ],
      map(components, (component, i) => {
        name: component
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, offset + i)
          defaultOutboundAccess: false
          networkSecurityGroup: { id: resourceId('Microsoft.Network/networkSecurityGroups', 'nsg-${component}-${suffix}') }
          natGateway: { id: wayOut.id }
          delegations: [{ name: component, properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      })
    )
  }
  dependsOn: [appRules]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: network
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource endpointsRulesDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: endpointsRules
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
}

resource gatewayRulesDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: gatewayRules
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
}

resource appRulesDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = [
  for (component, i) in components: {
    name: 'all'
    scope: appRules[i]
    properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
  }
]

resource addressDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: address
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = network.id
output endpointsSubnetId string = '${network.id}/subnets/endpoints'
output gatewaySubnetId string = '${network.id}/subnets/gateway'
output componentSubnetIds object = toObject(components, component => component, component => '${network.id}/subnets/${component}')
output outboundAddress string = address.properties.ipAddress

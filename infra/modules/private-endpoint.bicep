// The only way to a service whose public network access is off.
@description('Name of what is reached; the endpoint is named after it.')
param name string
param location string
param tags object
param subnetId string
param targetId string

@description('Which part of the service: namespace, Sql, vault, blob or sites.')
param part string
param dnsZoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: 'pe-${name}'
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    customNetworkInterfaceName: 'nic-pe-${name}'
    privateLinkServiceConnections: [
      {
        name: name
        properties: {
          privateLinkServiceId: targetId
          groupIds: [part]
        }
      }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: part, properties: { privateDnsZoneId: dnsZoneId } }]
  }
}

output id string = endpoint.id

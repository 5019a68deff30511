// Names of private endpoints. In a landing zone these zones exist once, centrally: then main.bicep takes their ids
// instead, since two zones of one name in linked networks hide each other's records.
param networkId string
param tags object

@description('Kinds of services reached privately, as in main.bicep: kind to name of the zone.')
param zones object

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for each in items(zones): {
    name: each.value
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (each, i) in items(zones): {
    parent: zone[i]
    name: 'knutepunkt'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: networkId }
    }
  }
]

output ids object = toObject(
  items(zones),
  each => each.key,
  each => resourceId('Microsoft.Network/privateDnsZones', each.value)
)

// The private way to every service whose public network is off: names and endpoints.
param suffix string
param location string
param tags object
param networkId string
param subnetId string

@description('Ids of the landing zone\'s private DNS zones, by kind; empty: made here.')
param dnsZoneIds object

@description('What is reached: name, as below, to resource id.')
param targets object

var zones = {
  serviceBus: 'privatelink.servicebus.windows.net'
  cosmos: 'privatelink.documents.azure.com'
  #disable-next-line no-hardcoded-env-urls // the name of the zone, which environment() does not have
  vault: 'privatelink.vaultcore.azure.net'
  blob: 'privatelink.blob.${az.environment().suffixes.storage}'
  sites: 'privatelink.azurewebsites.net'
}

// The apps too: deployments reach them this way, and the gateway reaches `api`.
var services = [
  { name: 'service-bus', part: 'namespace', zone: 'serviceBus' }
  { name: 'cosmos-hub', part: 'Sql', zone: 'cosmos' }
  { name: 'cosmos-trail', part: 'Sql', zone: 'cosmos' }
  { name: 'cosmos-checkpoints', part: 'Sql', zone: 'cosmos' }
  { name: 'vault', part: 'vault', zone: 'vault' }
  { name: 'witness', part: 'blob', zone: 'blob' }
  { name: 'host-api', part: 'blob', zone: 'blob' }
  { name: 'host-road', part: 'blob', zone: 'blob' }
  { name: 'host-upkeep', part: 'blob', zone: 'blob' }
  { name: 'app-api', part: 'sites', zone: 'sites' }
  { name: 'app-road', part: 'sites', zone: 'sites' }
  { name: 'app-upkeep', part: 'sites', zone: 'sites' }
]

module dns 'private-dns.bicep' = if (empty(dnsZoneIds)) {
  name: 'private-dns'
  params: { networkId: networkId, tags: tags, zones: zones }
}

var zoneIds = empty(dnsZoneIds) ? dns!.outputs.ids : dnsZoneIds

module endpoints 'private-endpoint.bicep' = [
  for each in services: {
    name: 'private-endpoint-${each.name}'
    params: {
      name: '${each.name}-${suffix}'
      location: location
      tags: tags
      subnetId: subnetId
      targetId: targets[each.name]
      part: each.part
      dnsZoneId: zoneIds[each.zone]
    }
  }
]

// Asks the hub's own /health through the gateway, from outside Azure's own network, every five minutes. No data in it.
param suffix string
param location string
param tags object
param insightsId string

@description('The address callers use.')
param url string

resource probe 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'health-${suffix}'
  location: location
  // The portal finds the component by this tag.
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'health-${suffix}'
    Name: 'knutepunkt health (${suffix})'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    // Europe: Amsterdam, Dublin, Paris.
    Locations: [{ Id: 'emea-nl-ams-azr' }, { Id: 'emea-gb-db3-azr' }, { Id: 'emea-fr-pra-edge' }]
    Request: { RequestUrl: '${url}/health', HttpVerb: 'GET', ParseDependentRequests: false }
    // A certificate that runs out within a month is a failure already.
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 30 }
  }
}

output id string = probe.id

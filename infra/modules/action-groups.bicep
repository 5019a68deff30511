// Who is told, by severity. 0 and 1 wake whoever is on duty; 2 is looked at the same day; 3 is read.
param suffix string
param tags object

@description('Addresses that are told of severities 0 and 1: the duty.')
param duty string[]

@description('Addresses that are told of severities 2 and 3: the team.')
param team string[]

@description('Address of the duty\'s paging service (Azure Monitor\'s common alert schema); empty: none.')
@secure()
param dutyWebhook string

var receivers = [duty, team, team]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = [
  for severity in [1, 2, 3]: {
    name: 'ag-severity-${severity}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      enabled: true
      groupShortName: 'knutep. ${severity}'
      emailReceivers: map(receivers[severity - 1], (address, i) => {
        name: 'mail-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      })
      webhookReceivers: severity == 1 && !empty(dutyWebhook)
        ? [{ name: 'paging', serviceUri: dutyWebhook, useCommonAlertSchema: true }]
        : []
    }
  }
]

output ids object = {
  '0': group[0].id
  '1': group[0].id
  '2': group[1].id
  '3': group[2].id
}

// All by which people are told and look: action groups, the test from outside, alerts, workbooks, the budget.
param suffix string
param location string
param tags object
param environment string
param tier string

@description('Address that callers use.')
param url string
param workspaceId string
param insightsId string

@description('What alerts watch: kind to resource id.')
param resources object
param duty string[]
param team string[]

@secure()
param dutyWebhook string
param runbooks string
param hubTells bool
param budgetAmount int
param budgetStart string

module actionGroups 'action-groups.bicep' = {
  name: 'action-groups'
  params: { suffix: suffix, tags: tags, duty: duty, team: team, dutyWebhook: dutyWebhook }
}

module availability 'availability.bicep' = {
  name: 'availability'
  params: { suffix: suffix, location: location, tags: tags, insightsId: insightsId, url: url }
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  params: {
    suffix: suffix
    location: location
    tags: tags
    environment: environment
    tier: tier
    workspaceId: workspaceId
    webTestId: availability.outputs.id
    insightsId: insightsId
    actionGroups: actionGroups.outputs.ids
    runbooks: runbooks
    alerts: loadJsonContent('../alerts.json').alerts
    hubTells: hubTells
    resources: resources
  }
}

module workbooks 'workbooks.bicep' = {
  name: 'workbooks'
  params: { suffix: suffix, location: location, tags: tags, workspaceId: workspaceId }
}

module budget 'budget.bicep' = {
  name: 'budget'
  params: { suffix: suffix, amount: budgetAmount, contacts: team, start: budgetStart }
}

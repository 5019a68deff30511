// Every alert of ../alerts.json, which says what each means and which runbook it leads to.
param suffix string
param location string
param tags object

@description('Which environment this is: an alert may be for some alone.')
param environment string

@description('Tier of Service Bus: some metrics are Premium\'s.')
param tier string

@description('What is watched: kind (as in alerts.json) to resource id.')
param resources object
param workspaceId string

@description('What is called from outside, and whose component it belongs to.')
param webTestId string
param insightsId string

@description('Action groups by severity.')
param actionGroups object

@description('Where runbooks are read, without a slash at the end; each alert links its own.')
param runbooks string

@description('Alerts, as in ../alerts.json.')
param alerts object[]

@description('Whether the hub itself posts or mails notices (Alerts__webhook, Alerts__smtp).')
param hubTells bool

// Alerts for this environment and tier.
var all = filter(
  alerts,
  each => contains(each.?environments ?? [environment], environment) && (each.?tier ?? tier) == tier
)
var metrics = filter(all, each => each.signal == 'metric')
var logs = filter(all, each => each.signal == 'log')
var availabilities = filter(all, each => each.signal == 'availability')
var activities = filter(all, each => each.signal == 'activity')

// File names must be known when the template is compiled.
var queries = {
  'bytes-differ.kql': loadTextContent('../kql/bytes-differ.kql')
  'caller-limited.kql': loadTextContent('../kql/caller-limited.kql')
  'callers-refused.kql': loadTextContent('../kql/callers-refused.kql')
  'deliveries-failing.kql': loadTextContent('../kql/deliveries-failing.kql')
  'exceptions.kql': loadTextContent('../kql/exceptions.kql')
  'gateway-errors.kql': loadTextContent('../kql/gateway-errors.kql')
  'hub-alarm-late.kql': loadTextContent('../kql/hub-alarm-late.kql')
  'hub-orphan.kql': loadTextContent('../kql/hub-orphan.kql')
  'hub-receiver-down.kql': loadTextContent('../kql/hub-receiver-down.kql')
  'hub-sender-silent.kql': loadTextContent('../kql/hub-sender-silent.kql')
  'hub-set-aside.kql': loadTextContent('../kql/hub-set-aside.kql')
  'instances-many.kql': loadTextContent('../kql/instances-many.kql')
  'issuer-keys.kql': loadTextContent('../kql/issuer-keys.kql')
  'key-expiry.kql': loadTextContent('../kql/key-expiry.kql')
  'log-cap.kql': loadTextContent('../kql/log-cap.kql')
  'log-volume.kql': loadTextContent('../kql/log-volume.kql')
  'message-missing.kql': loadTextContent('../kql/message-missing.kql')
  'no-inbound.kql': loadTextContent('../kql/no-inbound.kql')
  'nobody-told.kql': loadTextContent('../kql/nobody-told.kql')
  'not-available.kql': loadTextContent('../kql/not-available.kql')
  'orphan-check-blind.kql': loadTextContent('../kql/orphan-check-blind.kql')
  'proofs-replayed.kql': loadTextContent('../kql/proofs-replayed.kql')
  'receiver-credentials.kql': loadTextContent('../kql/receiver-credentials.kql')
  'signals-lost.kql': loadTextContent('../kql/signals-lost.kql')
  'slow.kql': loadTextContent('../kql/slow.kql')
  'timers-silent.kql': loadTextContent('../kql/timers-silent.kql')
  'trail-behind.kql': loadTextContent('../kql/trail-behind.kql')
  'trail-broken.kql': loadTextContent('../kql/trail-broken.kql')
  'undelivered-untold.kql': loadTextContent('../kql/undelivered-untold.kql')
  'unexpected.kql': loadTextContent('../kql/unexpected.kql')
  'upkeep-failing.kql': loadTextContent('../kql/upkeep-failing.kql')
  'vault-denied.kql': loadTextContent('../kql/vault-denied.kql')
  'vault-purged.kql': loadTextContent('../kql/vault-purged.kql')
}

// Each value of these by itself, or only the values named.
func dimensions(alert object) array =>
  concat(
    map(alert.?dimensions ?? [], name => { name: name, operator: 'Include', values: ['*'] }),
    map(items(alert.?only ?? {}), each => { name: each.key, operator: 'Include', values: each.value })
  )

resource metric 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for each in metrics: {
    name: 'knutepunkt-${each.name}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: '${each.description} ${runbooks}/${each.runbook}.md'
      severity: each.severity
      enabled: true
      autoMitigate: true
      scopes: [resources[each.resource]]
      evaluationFrequency: each.frequency
      windowSize: each.window
      criteria: each.?dynamic ?? false
        ? {
            'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
            allOf: [
              {
                name: each.name
                criterionType: 'DynamicThresholdCriterion'
                metricNamespace: each.metricNamespace
                metricName: each.metric
                timeAggregation: each.aggregation
                operator: each.operator
                alertSensitivity: 'Medium'
                failingPeriods: { numberOfEvaluationPeriods: 4, minFailingPeriodsToAlert: 4 }
                dimensions: dimensions(each)
              }
            ]
          }
        : {
            'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
            allOf: [
              {
                name: each.name
                criterionType: 'StaticThresholdCriterion'
                metricNamespace: each.metricNamespace
                metricName: each.metric
                timeAggregation: each.aggregation
                operator: each.operator
                threshold: each.threshold
                dimensions: dimensions(each)
              }
            ]
          }
      actions: [{ actionGroupId: actionGroups[string(each.severity)] }]
    }
  }
]

resource log 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for each in logs: {
    name: 'knutepunkt-${each.name}-${suffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: each.name
      description: '${each.description} ${runbooks}/${each.runbook}.md'
      severity: each.severity
      // What the hub tells of itself is not told twice.
      enabled: !(hubTells && (each.?toldByHub ?? false))
      // A rule that looks once a day cannot tell when it is over.
      autoMitigate: each.frequency != 'P1D'
      scopes: [workspaceId]
      evaluationFrequency: each.frequency
      windowSize: each.window
      // Tables appear with their first rows; a rule for one that is not there yet must not stop the deployment.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: queries[each.query]
            timeAggregation: 'Count'
            operator: each.operator
            threshold: each.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [actionGroups[string(each.severity)]] }
    }
  }
]

resource activity 'Microsoft.Insights/activityLogAlerts@2020-10-01' = [
  for each in activities: {
    name: 'knutepunkt-${each.name}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: '${each.description} ${runbooks}/${each.runbook}.md'
      enabled: true
      scopes: [resourceGroup().id]
      condition: { allOf: map(each.conditions, one => { field: one.field, equals: one.equals }) }
      actions: { actionGroups: [{ actionGroupId: actionGroups[string(each.severity)] }] }
    }
  }
]

resource availability 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for each in availabilities: {
    name: 'knutepunkt-${each.name}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: '${each.description} ${runbooks}/${each.runbook}.md'
      severity: each.severity
      enabled: true
      autoMitigate: true
      scopes: [webTestId, insightsId]
      evaluationFrequency: each.frequency
      windowSize: each.window
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
        webTestId: webTestId
        componentId: insightsId
        failedLocationCount: each.threshold
      }
      actions: [{ actionGroupId: actionGroups[string(each.severity)] }]
    }
  }
]

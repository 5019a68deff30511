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

@description('Action groups by severity.')
param actionGroups object

@description('Where runbooks are read, without a slash at the end; each alert links its own.')
param runbooks string

@description('Alerts, as in ../alerts.json.')
param alerts object[]

@description('Whether the hub itself posts or mails notices (Alerts__webhook, Alerts__smtp).')
param hubTells bool

// Alerts for this environment and tier; what the hub tells of itself is not told twice.
var all = filter(
  alerts,
  each => contains(each.?environments ?? [environment], environment) && (each.?tier ?? tier) == tier && !(hubTells && (each.?toldByHub ?? false))
)
var metrics = filter(all, each => each.signal == 'metric')
var logs = filter(all, each => each.signal == 'log')
var activities = filter(all, each => each.signal == 'activity')

// File names must be known when the template is compiled.
var queries = {
//QUERIES
}

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
                dimensions: map(each.?dimensions ?? [], name => { name: name, operator: 'Include', values: ['*'] })
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
                dimensions: map(each.?dimensions ?? [], name => { name: name, operator: 'Include', values: ['*'] })
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
      enabled: true
      autoMitigate: true
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

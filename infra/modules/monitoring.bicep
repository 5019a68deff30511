// Log Analytics and Application Insights: where operators look. Never the audit log: that is kept in Cosmos DB.
param suffix string
param location string
param tags object

@description('Days that logs can be searched; 90 are free with Application Insights tables.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Gigabytes a day at which ingestion stops. An alert at 80 % comes before it: a cap that is met is blindness.')
param dailyCapGb int

@description('Principals (by component) that may send telemetry; with local auth off nobody else can.')
param principals object

@description('Components of the hub; known before anything is deployed, so that loops can be laid out.')
param components string[]

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-knutepunkt-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGb }
    features: {
      disableLocalAuth: true
      // Readers of one resource's logs need no right to all of them.
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    // Ingestion is by Microsoft Entra ID alone. A private link scope would bind every network that shares its DNS;
    // that is the landing zone's decision.
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-knutepunkt-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    // Addresses of callers are personal data; nothing of ours reads them there.
    DisableIpMasking: false
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource publishers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for component in components: {
    name: guid(insights.id, component, metricsPublisher)
    scope: insights
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
      principalId: principals[component]
      principalType: 'ServicePrincipal'
    }
  }
]

resource workspaceDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: workspace
  properties: {
    workspaceId: workspace.id
    // Who searched what.
    logs: [{ category: 'Audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output workspaceId string = workspace.id
output insightsId string = insights.id
output insightsName string = insights.name
output connectionString string = insights.properties.ConnectionString

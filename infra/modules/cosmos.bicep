// One Cosmos DB account with one database. The hub's own documents, the audit log and its checkpoints are in an account
// each, so that they can have other administrators (docs/trail.md).
param name string
param location string
param tags object
param workspaceId string

@description('Name of the database.')
param database string

@description('Containers, as in ../topology.json.')
param containers object[]

@description('Pay for each request; else autoscale up to `maxThroughput`, shared by the containers.')
param serverless bool

@description('Request units a second at most; a tenth of it is always paid for.')
@minValue(1000)
param maxThroughput int
param zones bool
param publicNetwork bool

@description('How far back the account can be restored: 7 days are free, 30 are not.')
@allowed(['Continuous7Days', 'Continuous30Days'])
param backup string
param locked bool
param principals object
param components object[]

@description('Data actions of each role, after `Microsoft.DocumentDB/databaseAccounts/sqlDatabases/`.')
param roles object

var containerNames = map(containers, each => each.name)
var grants = flatten(map(components, component =>
  map(filter(items(component.containers), each => contains(containerNames, each.key)), each => {
    component: component.name
    container: each.key
    role: each.value
  })))
// Only the roles that somebody has here.
var granted = filter(items(roles), one => length(filter(grants, each => each.role == one.key)) > 0)

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-04-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: serverless ? [{ name: 'EnableServerless' }] : []
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: zones }]
    // Each lane is written by conditional changes, which never depend on a stale read.
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    // Keys off, for data and for the account's own settings: rights are Entra ID's alone.
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    // The schema's own default is TLS 1.0.
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
    networkAclBypass: 'None'
    enableAutomaticFailover: false
    enableMultipleWriteLocations: false
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: backup } }
  }
}

resource store 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-04-15' = {
  parent: account
  name: database
  properties: {
    resource: { id: database }
    options: serverless ? {} : { autoscaleSettings: { maxThroughput: maxThroughput } }
  }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-04-15' = [
  for each in containers: {
    parent: store
    name: each.name
    properties: {
      resource: union(
        {
          id: each.name
          partitionKey: { kind: 'Hash', version: 2, paths: [each.partitionKey] }
          // Every indexed path is paid for at every write: only what the code searches by.
          indexingPolicy: {
            automatic: true
            indexingMode: 'consistent'
            includedPaths: map(each.?indexedPaths ?? ['/*'], path => { path: path })
            excludedPaths: contains(each, 'indexedPaths') ? [{ path: '/*' }] : [{ path: '/"_etag"/?' }]
          }
          conflictResolutionPolicy: { mode: 'LastWriterWins', conflictResolutionPath: '/_ts' }
        },
        // -1: on, but each document says for itself.
        contains(each, 'defaultTtl') ? { defaultTtl: each.defaultTtl } : {},
        contains(each, 'uniqueKeys') ? { uniqueKeyPolicy: { uniqueKeys: map(each.uniqueKeys, path => { paths: [path] }) } } : {}
      )
      options: {}
    }
  }
]

resource role 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-04-15' = [
  for each in granted: {
    parent: account
    name: guid(account.id, each.key)
    properties: {
      roleName: 'Knutepunkt ${each.key}'
      type: 'CustomRole'
      assignableScopes: [account.id]
      permissions: [
        {
          dataActions: concat(
            ['Microsoft.DocumentDB/databaseAccounts/readMetadata'],
            map(each.value, action => 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/${action}')
          )
        }
      ]
    }
  }
]

resource grant 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-04-15' = [
  for each in grants: {
    parent: account
    name: guid(account.id, each.component, each.container)
    properties: {
      principalId: principals[each.component]
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/${guid(account.id, each.role)}'
      scope: '${account.id}/dbs/${database}/colls/${each.container}'
    }
    dependsOn: [role, container]
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: account
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    // Not DataPlaneRequests: costly, and it holds ids of documents. Turn it on for a search, then off.
    logs: [{ category: 'ControlPlaneRequests', enabled: true }]
    metrics: [{ category: 'Requests', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keep'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Health data, and the proof of who read it.' }
}

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint

// Secrets, and the key that signs the audit log's checkpoints. Values are never in a template: infra/hooks/secrets.sh
// makes those that are missing.
param suffix string
param location string
param tags object
param workspaceId string
param publicNetwork bool
param locked bool
param principals object
param components string[]

@description('The component that signs checkpoints.')
param signer string

@description('The gateway\'s principal, where it takes a certificate from here.')
param gatewayPrincipalId string
param gatewayReads bool

var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User: reads values, nothing else
var cryptoUser = '12338af0-0e69-4776-bea7-57ae8d297424' // Key Vault Crypto User: signs, cannot export

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: take('kv-kp-${suffix}', 24)
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    // Cannot be turned off again: without the pseudonyms' key nobody's messages can be found.
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
    networkAcls: {
      // The gateway is not in the network when it fetches its certificate: Azure lets it through as a trusted service.
      bypass: gatewayReads ? 'AzureServices' : 'None'
      defaultAction: publicNetwork ? 'Allow' : 'Deny'
    }
  }
}

// Made once; deploying again leaves it as it is. Rotation is a decision of people: earlier public keys stay trusted by
// `Checkpoints__publicKeys`.
resource checkpointKey 'Microsoft.KeyVault/vaults/keys@2024-11-01' = {
  parent: vault
  name: 'checkpoints'
  tags: tags
  properties: {
    kty: 'EC'
    curveName: 'P-256'
    keyOps: ['sign', 'verify']
    attributes: { enabled: true, exportable: false }
    rotationPolicy: {
      attributes: { expiryTime: 'P2Y' }
      lifetimeActions: [{ action: { type: 'notify' }, trigger: { timeBeforeExpiry: 'P30D' } }]
    }
  }
}

resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for component in components: {
    name: guid(vault.id, component, secretsUser)
    scope: vault
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
      principalId: principals[component]
      principalType: 'ServicePrincipal'
    }
  }
]

resource gatewayReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (gatewayReads) {
  name: guid(vault.id, 'gateway', secretsUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    principalId: gatewayPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource signs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(checkpointKey.id, signer, cryptoUser)
  scope: checkpointKey
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cryptoUser)
    principalId: principals[signer]
    principalType: 'ServicePrincipal'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'all'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      { category: 'AuditEvent', enabled: true }
      { category: 'AzurePolicyEvaluationDetails', enabled: true }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keep'
  scope: vault
  properties: { level: 'CanNotDelete', notes: 'Keys of pseudonyms and of the audit log.' }
}

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
output checkpointKeyId string = checkpointKey.properties.keyUriWithVersion

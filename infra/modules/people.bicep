// What people may do, by groups of Microsoft Entra ID whose membership is asked for and timed (PIM). Nobody has a right
// by name, and nobody has one over data of messages.
@description('Groups by object id; empty: nobody.')
param groups { operators: string, secretKeepers: string }
param vaultName string

var roles = {
  monitoringReader: '43d0d8ad-25c7-4714-9337-8ba259a9fe05'
  logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893'
  secretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource looks 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in empty(groups.operators) ? [] : [roles.monitoringReader, roles.logAnalyticsReader]: {
    name: guid(resourceGroup().id, groups.operators, role)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: groups.operators
      principalType: 'Group'
    }
  }
]

resource keeps 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(groups.secretKeepers)) {
  name: guid(vault.id, groups.secretKeepers, roles.secretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsOfficer)
    principalId: groups.secretKeepers
    principalType: 'Group'
  }
}

// What nobody may do in this resource group, whoever they are: Azure Policy refuses it.
param location string

@description('Regions where anything may be made. Health data stays in Norway.')
param allowedLocations string[]

@description('Whether the benchmark\'s findings are wanted here too; a landing zone usually assigns it higher up.')
param benchmark bool

var allowedLocationsPolicy = 'e56962a6-4747-49cd-b67b-bf8b01975c4c' // built-in "Allowed locations"; global services are exempt
var benchmarkPolicies = '1f3afdf9-d0c9-4c3d-847f-89da613e70a8' // built-in initiative "Microsoft cloud security benchmark"

resource locations 'Microsoft.Authorization/policyAssignments@2024-04-01' = {
  name: 'knutepunkt-locations'
  location: location
  properties: {
    displayName: 'Knutepunkt: only in Norway'
    policyDefinitionId: tenantResourceId('Microsoft.Authorization/policyDefinitions', allowedLocationsPolicy)
    enforcementMode: 'Default'
    parameters: { listOfAllowedLocations: { value: allowedLocations } }
    nonComplianceMessages: [{ message: 'Health data stays in Norway: choose one of the regions of infra/main.bicep.' }]
  }
}

resource findings 'Microsoft.Authorization/policyAssignments@2024-04-01' = if (benchmark) {
  name: 'knutepunkt-benchmark'
  location: location
  properties: {
    displayName: 'Knutepunkt: Microsoft cloud security benchmark'
    policyDefinitionId: tenantResourceId('Microsoft.Authorization/policySetDefinitions', benchmarkPolicies)
    enforcementMode: 'Default'
  }
}

// One component of the hub on Flex Consumption: a plan, an app, its settings. All components run the same package.
param name string
param location string
param tags object

@description('Name of the component: which functions it runs.')
param component string
param identityId string
param identityClientId string

@description('Functions of the other components: they are in the package and switched off here.')
param otherFunctions string[]

@description('Everything the code reads, with the host\'s own settings added here.')
@secure()
param settings object
param storageBlobEndpoint string
param packageContainer string
param subnetId string
param publicNetwork bool

@description('Addresses that may call, where the app is reached over the internet: the gateway\'s.')
param callers string[]

@description('Memory of an instance. 512 is enough for this app and a quarter of the price of 2048.')
@allowed([512, 2048, 4096])
param memoryMb int

@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Groups with instances that are never let go: {name, instanceCount}. Zones force two of each.')
param alwaysReady object[]

@description('Calls one instance takes at once.')
param httpConcurrency int

// Azure then keeps two instances of each group (all HTTP functions; each other function) and bills them.
@description('Whether instances spread over zones.')
param zones bool

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: {
    reserved: true
    zoneRedundant: zones
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd finds the app by this tag.
  tags: union(tags, { 'azd-service-name': component })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: publicNetwork ? 'Enabled' : 'Disabled'
    ...(empty(subnetId) ? {} : { virtualNetworkSubnetId: subnetId })
    // Which identity resolves Key Vault references.
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageBlobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: memoryMb
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      cors: { allowedOrigins: [], supportCredentials: false }
      ipSecurityRestrictionsDefaultAction: 'Deny'
      ipSecurityRestrictions: map(callers, (caller, i) => {
        name: 'gateway-${i}'
        priority: 100 + i
        action: 'Allow'
        ipAddress: caller
      })
      // The door of deployments is open only where the app itself is (dev), and asks for a Microsoft Entra ID token.
      scmIpSecurityRestrictionsDefaultAction: publicNetwork ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsUseMain: false
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(
      settings,
      {
        AzureWebJobsStorage__blobServiceUri: storageBlobEndpoint
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identityClientId
        // The triggers' own form of naming an identity; the app's clients take AZURE_CLIENT_ID.
        ServiceBus__credential: 'managedidentity'
        ServiceBus__clientId: identityClientId
        AZURE_CLIENT_ID: identityClientId
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
      },
      toObject(otherFunctions, each => 'AzureWebJobs.${each}.Disabled', each => 'true')
    )
  }

  // Passwords of publishing profiles: off. Deployments come with federated identity.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output id string = app.id
output name string = app.name

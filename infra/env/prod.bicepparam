using '../main.bicep'

// Production. Private, zone redundant, locked. Addresses and names of people come from the deployer's environment.
param environmentName = 'prod'
param owner = readEnvironmentVariable('KNUTEPUNKT_OWNER', 'velferdsteknologi')
param hubEnvironment = 'production'
param privateNetwork = true
param zones = true
param locks = true
param addressPrefix = '10.60.0.0/20'
param deployFrom = readEnvironmentVariable('KNUTEPUNKT_DEPLOY_FROM', '')

param serviceBusTier = 'Premium'
param serviceBusCapacity = 1
param cosmosServerless = false
param cosmosMaxThroughput = { hub: 4000, trail: 4000, checkpoints: 1000 }
param cosmosBackup = 'Continuous30Days'
param gatewaySku = 'StandardV2'
// Two units, so that one can be lost or be busy.
param gatewayUnits = 2
param publicHost = readEnvironmentVariable('KNUTEPUNKT_HOST', '')
param publisherEmail = readEnvironmentVariable('KNUTEPUNKT_PUBLISHER', 'drift@knutepunkt.invalid')

param memoryMb = 512
param maximumInstances = { api: 100, road: 100, upkeep: 40 }
param alwaysReadyInstances = 2

param helseIdIssuer = 'https://helseid-sts.nhn.no'
param helseIdAudience = readEnvironmentVariable('KNUTEPUNKT_AUDIENCE', 'nhn:knutepunkt')
param helseIdDpop = 'optional'
param entraTenant = readEnvironmentVariable('KNUTEPUNKT_ENTRA_TENANT', '')
param entraAudience = readEnvironmentVariable('KNUTEPUNKT_ENTRA_AUDIENCE', '')

param duty = [readEnvironmentVariable('KNUTEPUNKT_DUTY', 'vakt@knutepunkt.invalid')]
param team = [readEnvironmentVariable('KNUTEPUNKT_TEAM', 'drift@knutepunkt.invalid')]
param groups = {
  operators: readEnvironmentVariable('KNUTEPUNKT_OPERATORS_GROUP', '')
  trailKeepers: readEnvironmentVariable('KNUTEPUNKT_TRAIL_KEEPERS_GROUP', '')
  secretKeepers: readEnvironmentVariable('KNUTEPUNKT_SECRET_KEEPERS_GROUP', '')
}
param dutyWebhook = readEnvironmentVariable('KNUTEPUNKT_DUTY_WEBHOOK', '')
param runbooks = readEnvironmentVariable('KNUTEPUNKT_RUNBOOKS', 'https://knutepunkt.invalid/docs/runbooks')

param logDays = 90
param logCapGb = 10
param tracesPercent = 20
param witnessDays = 3653
param budgetAmount = 30000
param benchmark = true
// An environment with a subscription of its own.
param defenderPlans = [
  { name: 'Arm', subPlan: 'PerSubscription' }
  { name: 'KeyVaults', subPlan: 'PerKeyVault' }
  { name: 'StorageAccounts', subPlan: 'DefenderForStorageV2' }
  { name: 'CosmosDbs' }
  { name: 'Api', subPlan: 'P1' }
]

using '../main.bicep'

// Development: cheap and reached over the internet (by identity alone, no keys). Synthetic data only. Basic v2 has no way
// into a virtual network, so nothing here is private.
param environmentName = 'dev'
param owner = readEnvironmentVariable('KNUTEPUNKT_OWNER', 'velferdsteknologi')
param hubEnvironment = 'test'
param privateNetwork = false
param zones = false
param locks = false

param serviceBusTier = 'Standard'
param cosmosServerless = true
param cosmosBackup = 'Continuous7Days'
param gatewaySku = 'BasicV2'
param gatewayUnits = 1
param publicHost = readEnvironmentVariable('KNUTEPUNKT_HOST', '')
param publisherEmail = readEnvironmentVariable('KNUTEPUNKT_PUBLISHER', 'drift@knutepunkt.invalid')

param memoryMb = 512
param maximumInstances = { api: 40, road: 40, upkeep: 40 }
param alwaysReadyInstances = 0

param helseIdIssuer = 'https://helseid-sts.test.nhn.no'
param helseIdAudience = readEnvironmentVariable('KNUTEPUNKT_AUDIENCE', 'nhn:knutepunkt')
param helseIdTestEnvironment = true
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

param logDays = 30
param logCapGb = 1
param tracesPercent = 100
param witnessDays = 1
param budgetAmount = 5000
param benchmark = false

using '../main.bicep'

// Test: made as production is, one size down and without zones, so that what is tested is what runs. Synthetic data only.
param environmentName = 'test'
param owner = readEnvironmentVariable('KNUTEPUNKT_OWNER', 'velferdsteknologi')
param hubEnvironment = 'test'
param privateNetwork = true
param zones = false
param locks = false
param addressPrefix = '10.60.16.0/20'
param deployFrom = readEnvironmentVariable('KNUTEPUNKT_DEPLOY_FROM', '')

param serviceBusTier = 'Premium'
param serviceBusCapacity = 1
param cosmosServerless = false
param cosmosMaxThroughput = { hub: 1000, trail: 1000, checkpoints: 1000 }
param cosmosBackup = 'Continuous7Days'
param gatewaySku = 'StandardV2'
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

param logDays = 90
param logCapGb = 5
param tracesPercent = 20
param witnessDays = 30
param budgetAmount = 20000
param benchmark = false

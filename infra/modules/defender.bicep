// Microsoft Defender for Cloud: plans are of the whole subscription, so only an environment with a subscription of its
// own turns them on from here.
targetScope = 'subscription'

@description('Plans to turn on; each has a price (docs/infrastructure.md).')
param plans { name: string, subPlan: string? }[]

// One after another: the service refuses several at once.
@batchSize(1)
resource plan 'Microsoft.Security/pricings@2024-01-01' = [
  for each in plans: {
    name: each.name
    properties: union({ pricingTier: 'Standard' }, each.?subPlan == null ? {} : { subPlan: each.?subPlan })
  }
]
